import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge import flatbuffer, page
from dcase_system.edge.card import read_card
from dcase_system.edge.page.__main__ import serve
from dcase_system.edge.page.serve import PageServer
from dcase_system.edge.page.write import write_page
from dcase_system.edge.tflite_model import TFLiteModel


def test_the_built_page_is_that_of_its_sources():
    """Fails after a change of the sources until `make page` has been run."""
    root = Path(page.__file__).parent
    source = root / "source"
    files = ["index.html", "package-lock.json", "vite.config.ts"]
    files += [f"src/{path.name}" for path in (source / "src").iterdir()]
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update((source / name).read_bytes())
    built = (root / "built" / "index.html").read_text(encoding="utf-8")
    assert f'name="built-from" content="{digest.hexdigest()}"' in built


def test_a_page_is_one_file_that_names_no_other(exported, tmp_path):
    written = write_page(exported / "student_int8_waveform.tflite", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["index.html"]
    text = written.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,"]
    policies = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert len(policies) == 2 and "default-src 'none'" in policies[1]
    assert not any("http" in policy or "*" in policy for policy in policies)


def test_only_models_that_take_a_waveform_get_a_page(exported, tmp_path):
    with pytest.raises(InputError, match=r"student_int8\.tflite: .*takes a waveform.*features"):
        write_page(exported / "student_int8.tflite", tmp_path)
    with pytest.raises(InputError, match=r"gone\.tflite: model cannot be read"):
        write_page(tmp_path / "gone.tflite", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_network_in_a_page_says_in_float32_what_the_file_says(exported, waveforms, tmp_path):
    path = exported / "student_int8_waveform.tflite"
    within = tmp_path / "within.tflite"
    within.write_bytes(flatbuffer.with_float_output(path.read_bytes()))
    read_back, model = TFLiteModel(within), TFLiteModel(path)
    assert read_back.output["dtype"] == np.float32 and read_back.output["shape"].tolist() == [1, 4]
    clips = waveforms.gather(np.arange(5))
    np.testing.assert_array_equal(read_back(clips), model(clips))
    assert read_card(within).signature.labels == ("a", "b", "c", "d")
    floats = (exported / "student_float16_waveform.tflite").read_bytes()
    assert flatbuffer.with_float_output(floats) == floats


def test_hostile_names_in_a_model_stay_inside_of_its_page(exported, tmp_path):
    content = (exported / "student_int8_waveform.tflite").read_bytes()
    model = flatbuffer.parse(content)
    card = json.loads(flatbuffer.attached(model, "dcase_system.card"))
    hostile = "</script><script>alert(1)</script>"
    card["contract"]["labels"] = [hostile, '"><img src=x onerror=alert(1)>', "'; --", "\u2028"]
    flatbuffer.attach(model, "dcase_system.card", json.dumps(card).encode())
    (tmp_path / "<b>model.tflite").write_bytes(flatbuffer.serialise(model))
    text = write_page(tmp_path / "<b>model.tflite", tmp_path / "page").read_text()
    assert "alert(1)" not in text and "<b>model" not in text and "onerror" not in text


def test_serving_ends_with_an_interrupt_and_refuses_a_port_in_use(tmp_path, monkeypatch, capsys):
    def interrupted(self):
        raise KeyboardInterrupt

    with PageServer(tmp_path / "index.html", 0) as server:
        with pytest.raises(InputError, match="--port: cannot listen on port"):
            PageServer(tmp_path / "index.html", server.server_port)
        monkeypatch.setattr(PageServer, "serve_forever", interrupted)
        serve(tmp_path / "index.html", 0)
    assert "http://127.0.0.1:" in capsys.readouterr().out
