"""The page in headless Chromium, beside the same files in Python."""

import base64
import gzip
import re
import threading
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from ai_edge_litert.schema_py_generated import BuiltinOperator

from dcase_system.edge import card, flatbuffer
from dcase_system.edge.page.serve import PageServer
from dcase_system.edge.page.write import write_page
from dcase_system.edge.tflite_model import TFLiteModel
from tests.browser import start
from tests.edge import browser, scenes
from tests.edge.scenes import FORMATS, LABELS, RATE

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
FIRST = 100  # seed of sounds that the networks were not made with


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models that tell three scenes apart, a page of each, and a WAV of each scene."""
    folder = tmp_path_factory.mktemp("pages")
    signature = scenes.export(folder)
    for name in FORMATS:
        write_page(model_file(folder, name), folder / name)
    for label in LABELS:
        write(folder / f"{label}.wav", scenes.sound(label, seed=FIRST))
    path = folder / "hostile" / "student_float16_waveform.tflite"
    content = model_file(folder, "float16").read_bytes()
    path.parent.mkdir()
    hostile = card.Card("float16", "waveform", replace(signature, labels=(HOSTILE, *LABELS[1:])))
    card.write_model(path, content, hostile)
    write_page(path, folder / "hostile")
    return folder


@pytest.fixture(scope="module")
def chromium(folder):
    """A browser whose microphone gets birds, without end."""
    write(folder / "microphone.wav", scenes.sound("birds", seconds=8, seed=FIRST))
    driver = start(folder / "microphone.wav")
    yield browser.Page(driver)
    driver.quit()


@pytest.fixture
def shown(chromium, folder):
    """The page of the float16 model; it must not complain or ask for anything."""
    chromium.open((folder / "float16" / "index.html").as_uri())
    yield chromium
    assert chromium.errors() == []
    assert [address for address in chromium.requests() if outside(address)] == []


def model_file(folder, name):
    return folder / f"student_{name}_waveform.tflite"


def write(path, samples, rate=RATE):
    soundfile.write(path, samples, rate, subtype="FLOAT" if np.ndim(samples) > 1 else "PCM_16")
    return path


def outside(address):
    """Whether an address is anything but the page and what it carries."""
    return not address.endswith("/index.html") and not address.startswith(("blob:", "data:"))


def expected(folder, path, name="float16"):
    """What a recording gives in Python: the mean over its windows."""
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    signature = card.read_card(model_file(folder, name)).signature
    clips = np.stack(list(scenes.windows(samples.mean(axis=1))))
    logits = TFLiteModel(model_file(folder, name))(clips)
    return signature.probabilities(logits).mean(axis=0)


@pytest.mark.parametrize("name", FORMATS)
def test_a_wav_of_each_scene_is_classified_as_in_python(chromium, folder, artefacts, name):
    chromium.open((folder / name / "index.html").as_uri())
    scale, _ = TFLiteModel(model_file(folder, name)).output["quantization"]
    for label in LABELS:
        path = folder / f"{label}.wav"
        chromium.choose(path)
        assert (chromium.state, chromium.scene) == ("done", label)
        assert chromium.text("scene") == label.replace("_", " ")
        found, wanted = chromium.probabilities, expected(folder, path, name)
        assert LABELS[wanted.argmax()] == label
        # Kernels of another machine may round an activation of int8 the other way.
        np.testing.assert_allclose(found, wanted, atol=3 * scale if name == "int8" else 1e-3)
        chromium.screenshot(artefacts / f"page_{name}_{label}.png", 1280, 860)
    assert chromium.errors() == []
    assert [address for address in chromium.requests() if outside(address)] == []


def test_the_microphone_shows_its_scene_within_seconds(chromium, folder, artefacts):
    page = folder / "float16" / "index.html"
    with PageServer(page, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium.open(server.address)
        chromium.permit_microphone("granted")
        chromium.click("listen")
        chromium.until(lambda: chromium.scene == "birds")
        chromium.until(lambda: "birds 2" in chromium.text("summary"))  # seconds of the strips
        assert chromium.text("summary").startswith("Heard: birds")
        assert chromium.state == "listening" and chromium.text("notice") == ""
        chromium.screenshot(artefacts / "page_microphone_phone.png", 390, 844)
        chromium.screenshot(artefacts / "page_microphone_dark.png", 1280, 860, dark=True)
        chromium.click("listen")
        assert chromium.state == "ready"
        server.shutdown()
    assert chromium.errors() == []
    asked = [address for address in chromium.requests() if outside(address)]
    assert set(asked) == {server.address}


def test_a_page_from_the_disk_may_listen_as_well(shown):
    shown.permit_microphone("granted")
    shown.click("listen")
    shown.until(lambda: shown.scene == "birds")
    shown.click("listen")


def test_a_denied_microphone_is_said(shown, artefacts):
    shown.permit_microphone("denied")
    shown.click("listen")
    shown.until(lambda: "The microphone is not allowed" in shown.text("fault"))
    assert shown.state == "ready"
    shown.screenshot(artefacts / "page_denied_phone.png", 390, 844)


def test_a_long_recording_is_the_mean_of_its_windows(shown, folder, artefacts):
    parts = [scenes.sound(label, 3, FIRST) for label in ("rain", "birds", "engine_hall", "birds")]
    path = write(folder / "walk.wav", np.concatenate([*parts, scenes.sound("rain", 0.4)]))
    shown.choose(path)
    np.testing.assert_allclose(shown.probabilities, expected(folder, path), atol=1e-3)
    assert shown.scene == "birds"
    assert "12.4 s, mean of 12 windows" in shown.text("source")
    assert "The last 0.4 s fill no window" in shown.text("notice")
    assert "birds 6 s" in shown.text("summary")
    shown.screenshot(artefacts / "page_recording.png", 1280, 860)
    shown.play(7.0)
    shown.until(lambda: shown.scene == "engine_hall")


def test_a_short_stereo_recording_is_averaged_and_repeated(shown, folder):
    left, right = scenes.sound("birds", 0.3), 0.5 * scenes.sound("rain", 0.3)
    path = write(folder / "short.wav", np.stack([left, right], axis=1))
    shown.choose(path)
    np.testing.assert_allclose(shown.probabilities, expected(folder, path), atol=1e-3)
    assert "Shorter than 1 s" in shown.text("notice")


def test_a_recording_at_another_rate_is_brought_to_that_of_the_network(shown, folder):
    time = np.arange(44_100) / 44_100
    hum = 0.2 * sum(np.sin(2 * np.pi * k * 80 * time) / k for k in range(1, 6))
    shown.choose(write(folder / "other_rate.wav", hum, 44_100))
    assert shown.scene == "engine_hall"


def test_silence_clipping_and_what_is_no_sound_are_said(shown, folder):
    shown.choose(write(folder / "silence.wav", np.zeros(RATE)))
    assert "Silence" in shown.text("notice")
    shown.choose(write(folder / "clipped.wav", np.clip(40 * scenes.sound("birds"), -1, 1)))
    assert "clipped" in shown.text("notice")
    shown.drop("letter.wav", b"Dear sir or madam")
    assert "“letter.wav” cannot be read as sound" in shown.text("fault")
    assert (shown.state, shown.scene) == ("ready", "")
    shown.choose(folder / "birds.wav")  # and it goes on
    assert shown.scene == "birds" and shown.text("fault") == ""


def test_a_dropped_file_is_read(shown, folder):
    shown.drop("dropped.wav", (folder / "rain.wav").read_bytes())
    assert (shown.state, shown.scene) == ("done", "rain")


def test_hostile_labels_are_text(chromium, folder):
    chromium.open((folder / "hostile" / "index.html").as_uri())
    chromium.choose(folder / "engine_hall.wav")
    assert chromium.text("scene") == HOSTILE
    assert HOSTILE in chromium.text("classes") and HOSTILE in chromium.text("summary")
    assert chromium.driver.find_elements("tag name", "img") == []
    assert chromium.driver.title == "Acoustic scene"
    assert chromium.errors() == []


def test_a_runtime_that_lacks_an_operator_is_noticed(chromium, folder):
    """LiteRT itself goes on and gives whatever is in its memory."""
    path = folder / "float16" / "index.html"
    text = path.read_text(encoding="utf-8")
    network = re.search(r'id="network">([^<]*)<', text)[1]
    model = flatbuffer.parse(gzip.decompress(base64.b64decode(network)))
    for code in model.operatorCodes:
        if code.builtinCode == BuiltinOperator.RFFT2D:
            code.builtinCode = code.deprecatedBuiltinCode = BuiltinOperator.CUSTOM
            code.customCode = b"Unknown"
    changed = base64.b64encode(gzip.compress(flatbuffer.serialise(model))).decode()
    path = folder / "lacking.html"
    path.write_text(text.replace(network, changed), encoding="utf-8")
    chromium.driver.get(path.as_uri())
    chromium.until(lambda: chromium.state == "broken")
    assert "unresolved custom op" in chromium.text("fault")
    assert not chromium.driver.find_element("id", "listen").is_enabled()


def test_the_page_can_reach_nothing(chromium, folder):
    with PageServer(folder / "float16" / "index.html", 0) as server:
        chromium.open((folder / "float16" / "index.html").as_uri())
        answer = chromium.driver.execute_async_script(
            "const done = arguments[1];"
            "fetch(arguments[0], {mode: 'no-cors'})"
            ".then(() => done('reached'), () => done('refused'))",
            server.address,
        )
    assert answer == "refused"
    assert any("Content Security Policy" in message for message in chromium.errors())
