"""Local paths and URLs have the same methods."""

import pickle
import sys
import threading
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.decode import read_audio
from dcase_system.audio.store.decoding import Decoder, decoders, start
from dcase_system.audio.store.store_format import StoreFormat
from dcase_system.core import storage
from dcase_system.core.errors import InputError
from dcase_system.core.locations import (
    Url,
    as_location,
    files_below,
    find_list_below,
)
from dcase_system.core.storage import UnreachableError
from tests.audio.audio_files import encoded
from tests.locations import in_memory, needs_tensorflow_io, write

FILES = {
    "meta.csv": b"a\tb\r\nc\td\n",
    "audio/b.wav": b"RIFF\0\xff",
    "audio/a.WAV": b"x",
    "audio/deep/v1.0/c.flac": b"y",
    "audio-more/d.wav": b"z",
    "lists/eval.csv": b"e",
    ".old/eval.csv": b"no list",
    ".old/e.wav": b"in a hidden folder",
    "audio/._a.WAV": b"hidden",
    "audio/deep/.v0.9/c.flac": b"in a hidden folder",
}
SUFFIXES = {".wav", ".flac"}


@pytest.fixture
def local(tmp_path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture
def silent(monkeypatch):
    """A storage that accepts its scheme and never answers."""
    forever = threading.Event()
    monkeypatch.setattr(tf.io.gfile, "stat", lambda address: forever.wait(20))
    monkeypatch.setattr(storage, "FIRST_ANSWER_SECONDS", 0.05)
    yield
    forever.set()


def test_a_url_is_no_path():
    assert isinstance(as_location("TAU/x"), Path)
    assert str(as_location("gs://bucket/TAU/")) == "gs://bucket/TAU"
    assert str(as_location("gs://bucket") / "audio/./x.wav") == "gs://bucket/audio/x.wav"
    assert [as_location(url).resolve().name for url in ("gs://b/TAU/", "s3://b")] == ["TAU", "b"]
    assert Url("gs://b") / PurePosixPath("a/b.wav") == Url("gs://b/a/b.wav")
    assert as_location(Url("s3://b")) == Url("s3://b")
    assert pickle.loads(pickle.dumps(as_location("s3://b/x"))) == Url("s3://b/x")
    with pytest.raises(InputError, match=r"gs://: URL names no folder; expected one like gs://"):
        as_location("gs://")


def test_both_answer_alike(local):
    root = as_location(in_memory(local))
    for name in [*FILES, "audio", "no", "meta.csv/no"]:
        ours, path = root / name, local / name
        assert (ours.is_dir(), ours.is_file()) == (path.is_dir(), path.is_file()), name
        if path.is_file():
            assert ours.read_bytes() == path.read_bytes()
            assert ours.stat().st_size == path.stat().st_size
            assert ours.stat().st_mtime_ns == 0  # which memory does not keep
    assert (root / "meta.csv").read_text("utf-8-sig") == (local / "meta.csv").read_text("utf-8-sig")
    with pytest.raises(FileNotFoundError, match=r"ram://.*/no'"):
        (root / "no").stat()


def test_files_are_found_in_the_same_order(local):
    found = [
        list(map(str, files_below(one, SUFFIXES))) for one in (local, as_location(in_memory(local)))
    ]
    assert found[0] == found[1]
    assert found[1] == [
        "audio/a.WAV",
        "audio/b.wav",
        "audio/deep/v1.0/c.flac",
        "audio-more/d.wav",
    ]


def test_files_of_one_folder_alone(local):
    for root in (local / "audio", as_location(in_memory(local)) / "audio"):
        found = files_below(root, SUFFIXES, deep=False)
        assert list(map(str, found)) == ["a.WAV", "b.wav"]


def test_a_folder_below_a_hidden_one_is_searched(local):
    assert [str(path) for path in files_below(local / ".old", SUFFIXES)] == ["e.wav"]


def test_a_list_is_found_a_level_down(local):
    for root in (local, as_location(in_memory(local))):
        assert find_list_below(root, "eval.csv", SUFFIXES) == root / "lists/eval.csv"
        assert find_list_below(root, "meta.csv", SUFFIXES) == root / "meta.csv"
        assert find_list_below(root, "none.csv", SUFFIXES) is None


def test_folders_of_storage_that_marks_them(monkeypatch):
    asked = []
    monkeypatch.setattr(tf.io.gfile, "listdir", lambda address: ["b/", "x.wav", "other", "a/", "/"])
    monkeypatch.setattr(Url, "is_dir", lambda url: asked.append(url.name))
    assert Url("ram://x").folders(SUFFIXES) == (["a", "b"], ["other", "x.wav"])
    assert asked == ["other"]


@needs_tensorflow_io
def test_an_unknown_scheme_is_one_line():
    with pytest.raises(InputError) as caught:
        as_location("s9://bucket/TAU").is_dir()
    message = str(caught.value)
    assert message.startswith("s9://bucket/TAU: unknown kind of storage; expected ")
    assert "gs://" in message
    assert "s3://" in message
    assert message.endswith("received s9://")


def test_without_tensorflow_io_its_storage_is_refused_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    with pytest.raises(InputError, match="s9://b: storage needs tensorflow-io, which is not inst"):
        as_location("s9://b").is_dir()


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (
            tf.errors.PermissionDeniedError(None, None, "403\nbody"),
            InputError,
            "refuses the request",
        ),
        (tf.errors.FailedPreconditionError(None, None, "no host"), UnreachableError, "no host"),
        (RuntimeError("no connection"), UnreachableError, "no connection"),
    ],
)
def test_what_storage_raises_is_one_line(monkeypatch, raised, kind, message):
    def fail(address):
        raise raised

    monkeypatch.setattr(tf.io.gfile, "stat", fail)
    with pytest.raises(kind, match=message) as caught:
        as_location("gs://bucket/TAU").is_dir()
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_storage_that_does_not_answer_is_not_waited_for(silent):
    with pytest.raises(UnreachableError, match=r"does not answer; expected an answer within 0\.05"):
        as_location("gs://silent/TAU").is_dir()


def test_what_is_wrong_with_audio_is_one_line(tmp_path):
    url = in_memory(tmp_path) + "/audio"
    write(f"{url}/x.wav", b"text")
    write(f"{url}/y.flac", encoded(np.zeros((100, 1)), 8_000, "FLAC")[:-3])
    with pytest.raises(InputError, match=r"ram://.*/none\.wav: audio file is missing"):
        read_audio(f"{url}/none.wav")
    with pytest.raises(InputError, match=r"ram://.*/x\.wav: not an audio file"):
        read_audio(f"{url}/x.wav")
    with pytest.raises(InputError, match=r"ram://.*/y\.flac: .* damaged or truncated"):
        read_audio(f"{url}/y.flac")
    with pytest.raises(InputError, match=r"ram://.*/audio: storage refuses .* is a directory"):
        read_audio(url)


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_audio_from_storage_is_that_of_a_file(tmp_path, container):
    samples = np.random.default_rng(0).normal(0, 0.1, (5_000, 2))
    (tmp_path / "clip").write_bytes(encoded(samples, 32_000, container))
    from_file, from_url = (read_audio(f"{at}/clip") for at in (tmp_path, in_memory(tmp_path)))
    assert from_file[1] == from_url[1] == 32_000
    np.testing.assert_array_equal(from_file[0], from_url[0])


@needs_tensorflow_io
@pytest.mark.parametrize("processes", [1, 2])
def test_lost_storage_ends_an_ingest_and_blames_no_clip(processes):
    store_format = StoreFormat(
        sample_rate=8, clip_samples=8, exact=True, channels=1, copy_mono=False
    )
    lost = as_location("http://127.0.0.1:9/TAU")  # no server has this port
    message = r"http://127\.0\.0\.1:9/TAU/x\.wav: storage cannot"
    with decoders(processes) as pool, pytest.raises(UnreachableError, match=message):
        list(start(pool, Decoder(lost, store_format), [b"x.wav\t1\t1"]))
