import numpy as np
import pytest

from dcase_system.audio import store as store_module
from dcase_system.audio.store import ingest
from dcase_system.errors import InputError
from tests.audio.audio_files import wav_bytes

RATE = 8_000


def write_clip(path, value: float, rate: int = RATE, seconds: float = 1.0, channels: int = 1):
    samples = np.full((round(rate * seconds), channels), value)
    path.write_bytes(wav_bytes(samples, rate, 24))


@pytest.fixture
def corpus(tmp_path):
    root = tmp_path / "corpus"
    root.mkdir()
    for index in range(6):
        write_clip(root / f"{index}.wav", index / 10)
    return root


def stored_values(waveforms):
    middle = waveforms.gather(np.arange(len(waveforms)))[:, RATE // 2]
    return [round(float(value), 3) for value in middle]


def names(*indices):
    return [f"{index}.wav" for index in indices]


def count_decodes(monkeypatch):
    decoded = []
    original = store_module._decode_clip
    monkeypatch.setattr(
        store_module,
        "_decode_clip",
        lambda path, *rest: decoded.append(path.name) or original(path, *rest),
    )
    return decoded


def test_clips_come_back_in_the_order_asked_for(tmp_path, corpus):
    waveforms = ingest(tmp_path / "store", corpus, names(3, 0, 5), sample_rate=RATE)
    assert stored_values(waveforms) == [0.3, 0.0, 0.5]
    assert stored_values(waveforms.take(np.array([2, 0]))) == [0.5, 0.3]


def test_sample_values_survive_to_int16_resolution(tmp_path, corpus):
    samples = np.random.default_rng(0).uniform(-1, 1, (RATE, 1)) * 0.99
    (corpus / "noise.wav").write_bytes(wav_bytes(samples, RATE, 24))
    stored = ingest(tmp_path / "store", corpus, ["noise.wav"], sample_rate=RATE).gather(
        np.array([0])
    )
    np.testing.assert_allclose(stored[0], samples[:, 0], atol=0.51 / 2**15)


def test_only_new_and_changed_clips_are_decoded(tmp_path, corpus, monkeypatch):
    decoded = count_decodes(monkeypatch)
    first = ingest(tmp_path / "store", corpus, names(0, 1, 2), sample_rate=RATE)
    again = ingest(tmp_path / "store", corpus, names(0, 1, 2), sample_rate=RATE)
    assert sorted(decoded) == names(0, 1, 2)
    assert first.key == again.key
    decoded.clear()
    write_clip(corpus / "1.wav", 0.9)
    changed = ingest(tmp_path / "store", corpus, names(0, 1, 2, 3), sample_rate=RATE)
    assert sorted(decoded) == names(1, 3)
    assert stored_values(changed) == [0.0, 0.9, 0.2, 0.3]
    assert changed.key != first.key


@pytest.mark.parametrize("torn", ["waveforms.int16", "index.tsv"])
def test_a_store_torn_in_the_middle_of_a_write_is_mended(tmp_path, corpus, torn):
    store = tmp_path / "store"
    ingest(store, corpus, names(0, 1, 2), sample_rate=RATE)
    content = (store / torn).read_bytes()
    (store / torn).write_bytes(content[:-5])
    assert stored_values(ingest(store, corpus, names(0, 1, 2, 3), sample_rate=RATE)) == [
        0.0,
        0.1,
        0.2,
        0.3,
    ]


def test_an_interrupted_ingest_goes_on_where_it_stopped(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(store_module, "_CHUNK_CLIPS", 2)

    def stop(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(tmp_path / "store", corpus, names(*range(6)), sample_rate=RATE, on_progress=stop)
    decoded = count_decodes(monkeypatch)
    waveforms = ingest(tmp_path / "store", corpus, names(*range(6)), sample_rate=RATE)
    assert sorted(decoded) == names(4, 5)
    assert stored_values(waveforms) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_another_sample_rate_rebuilds_the_store(tmp_path, corpus):
    ingest(tmp_path / "store", corpus, names(0, 1), sample_rate=RATE)
    waveforms = ingest(tmp_path / "store", corpus, names(1), sample_rate=RATE // 2)
    assert waveforms.samples.shape == (1, RATE // 2)


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (
            {"rate": 16_000},
            "another sample rate; expected 8000 Hz as the others .*; received 16000 Hz",
        ),
        (
            {"seconds": 0.5},
            r"another length; expected 8000 samples \(1 s at 8000 Hz\); received 4000",
        ),
        ({"channels": 2}, "not mono; expected 1 channel; received 2"),
    ],
)
def test_a_clip_unlike_the_others_is_named(tmp_path, corpus, clip, message):
    write_clip(corpus / "odd.wav", 0.1, **clip)
    with pytest.raises(InputError, match=rf"odd\.wav: clip (has|is) {message}"):
        ingest(tmp_path / "store", corpus, [*names(0), "odd.wav"], sample_rate=RATE)


def test_all_missing_clips_are_counted_before_any_is_decoded(tmp_path, corpus, monkeypatch):
    decoded = count_decodes(monkeypatch)
    with pytest.raises(
        InputError, match=r"clip of the list is missing; received x\.wav and 1 more"
    ):
        ingest(tmp_path / "store", corpus, [*names(0), "x.wav", "y.wav"], sample_rate=RATE)
    assert decoded == []


def test_good_clips_beside_a_faulty_one_are_kept(tmp_path, corpus, monkeypatch):
    (corpus / "2.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"2\.wav: audio file is empty"):
        ingest(tmp_path / "store", corpus, names(0, 1, 2), sample_rate=RATE)
    decoded = count_decodes(monkeypatch)
    write_clip(corpus / "2.wav", 0.2)
    assert stored_values(ingest(tmp_path / "store", corpus, names(0, 1, 2), sample_rate=RATE)) == [
        0.0,
        0.1,
        0.2,
    ]
    assert decoded == names(2)


def test_a_full_disk_is_refused_before_decoding(tmp_path, corpus, monkeypatch):
    usage = type("Usage", (), {"free": 1_000})()
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match="disk is too full for the waveform store"):
        ingest(tmp_path / "store", corpus, names(0), sample_rate=RATE)


def test_clips_of_any_form_are_fitted_where_that_is_asked_for(tmp_path, corpus):
    write_clip(corpus / "short.wav", 0.5, seconds=0.25)
    write_clip(corpus / "long.wav", 0.5, seconds=2.0)
    write_clip(corpus / "stereo.wav", 0.5, channels=2, rate=16_000)
    clips = ["0.wav", "short.wav", "long.wav", "stereo.wav"]
    with pytest.raises(InputError, match="another length"):
        ingest(tmp_path / "store", corpus, clips, sample_rate=RATE)
    waveforms = ingest(tmp_path / "store", corpus, clips, sample_rate=RATE, exact=False)
    assert waveforms.samples.shape == (4, RATE)
    assert stored_values(waveforms) == [0.0, 0.0, 0.5, 0.5]
    np.testing.assert_allclose(waveforms.gather(np.array([1]))[0, :1_900], 0.5, atol=1e-3)
    with pytest.raises(InputError, match="another length"):  # the store is made anew
        ingest(tmp_path / "store", corpus, clips, sample_rate=RATE)


def test_a_clip_shorter_than_a_frame_is_refused_in_any_form(tmp_path, corpus):
    write_clip(corpus / "click.wav", 0.5, seconds=0.03)
    with pytest.raises(InputError, match=r"click\.wav: clip is shorter than one frame; expected"):
        ingest(tmp_path / "store", corpus, ["click.wav"], sample_rate=RATE, exact=False)
