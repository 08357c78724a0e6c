"""The command fills the stores that recipes use."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from dcase_system.audio.clips import load_audioset, load_data, stereo_waveforms
from dcase_system.audio.ingest import Filling
from dcase_system.audio.store import decoding
from dcase_system.core.errors import InputError
from dcase_system.core.locations import as_location
from dcase_system.corpora.audioset import read_audioset
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.task1b import read_task1b
from tests.audio.audio_files import wav_bytes
from tests.commands import run
from tests.locations import in_memory, needs_tensorflow_io

LABELS = "index,mid,display_name\n0,/m/09x0r,Speech\n"


@pytest.fixture
def nothing_decoded(monkeypatch):
    """Fails if a clip is decoded after this call."""

    def refuse(path, store_format):
        raise AssertionError(f"{path} is decoded again")

    return lambda: monkeypatch.setattr(decoding, "decode_clip", refuse)


def test_a_split_finds_its_clips(place, tmp_path, nothing_decoded):
    demo, stores = place / "demo", tmp_path / "cache" / "stores"
    flags = [f"--data_dir={demo / 'development'}", f"--evaluation_dir={demo / 'evaluation'}"]
    done = run(
        "dcase_system.audio.ingest", *flags, f"--cache_dir={tmp_path / 'cache'}", "--writers=2"
    )
    assert done.returncode == 0, done.stderr
    line = r"([\d,]+) clips of 64,000 bytes each: (.+)"
    found = [re.fullmatch(line, text) for text in done.stdout.splitlines()]
    assert [one[2] for one in found] == [
        str(next(stores.glob(f"{name}-*"))) for name in ("development", "evaluation")
    ]
    corpus = read_corpus(demo / "development")
    fresh = load_data(corpus, 5, demo / "evaluation", place / "stores")
    nothing_decoded()
    data = load_data(corpus, 5, demo / "evaluation", stores)
    clips = len(corpus.split(100)) + len(data.test)
    assert [int(one[1].replace(",", "")) for one in found] == [clips, len(data.evaluation)]
    assert data.train.audio.key == fresh.train.audio.key
    rows = np.arange(len(data.test))
    np.testing.assert_array_equal(data.test.audio.gather(rows), fresh.test.audio.gather(rows))


@pytest.fixture
def audioset(tmp_path):
    root = tmp_path / "audioset"
    (root / "audio").mkdir(parents=True)
    (root / "class_labels_indices.csv").write_text(LABELS)
    for number, name in enumerate(("balanced_train", "eval", "unbalanced_train", "other")):
        videos = [f"{number}{clip:010}" for clip in range(5)]
        for video in videos:
            samples = np.full((8_000, 1), 0.1 * number)
            (root / "audio" / f"Y{video}.wav").write_bytes(wav_bytes(samples, 8_000, 16))
        if name != "other":
            lines = "".join(f'{video}, 0.000, 10.000, "/m/09x0r"\n' for video in videos)
            (root / f"{name}_segments.csv").write_text(lines)
    return root


def test_audioset_finds_its_clips(audioset, tmp_path, nothing_decoded):
    filling = Filling(tmp_path / "stores", seconds=0.5)
    assert len(filling.audioset(audioset)[0]) == 15
    assert len(filling.audioset(audioset, all_clips=True)[0]) == 20
    nothing_decoded()
    for seed in (0, 1):
        data = load_audioset(
            read_audioset(audioset), tmp_path / "stores", validation=4, seconds=0.5, seed=seed
        )
        assert data.validation.audio.shape == (16_000,)
    middle = data.test.audio.gather(np.arange(5))[:, 8_000]
    np.testing.assert_allclose(middle, 0.1, atol=1e-3)


def test_stereo_clips_are_found(stereo, tmp_path, nothing_decoded):
    root, evaluation = (flag.split("=")[1] for flag in stereo[:2])
    filling = Filling(tmp_path / "stores", seconds=1.3)
    filling.task1b(Path(root), Path(evaluation))
    nothing_decoded()
    names = read_task1b(root).listed("fold1_evaluate.csv").filenames
    assert len(stereo_waveforms(tmp_path / "stores", Path(root), names, 48_000, 1.3)) == len(names)


def test_clips_at_a_url_are_those_of_the_folder(place, tmp_path):
    folders = [place / "demo" / name for name in ("development", "evaluation")]
    for clip in place.rglob("*.wav"):
        os.utime(clip, ns=(0, 0))  # memory keeps no times, and they are part of the keys
    urls = [in_memory(folder) for folder in folders]
    corpora = read_corpus(folders[0]), read_corpus(urls[0])
    assert corpora[0].scenes == corpora[1].scenes
    pd.testing.assert_frame_equal(corpora[0].meta, corpora[1].meta)
    one, other = (
        load_data(corpus, 5, evaluation, tmp_path / name)
        for corpus, evaluation, name in (
            (corpora[0], folders[1], "of_folder"),
            (corpora[1], as_location(urls[1]), "of_url"),
        )
    )
    assert (one.train.key, one.test.key) == (other.train.key, other.test.key)
    assert one.evaluation == other.evaluation
    assert one.evaluation_audio.key == other.evaluation_audio.key
    for name in ("development", "evaluation"):
        assert stored(tmp_path / "of_folder", name) == stored(tmp_path / "of_url", name)


def test_a_url_is_filled_as_a_recipe_finds_it(place, audioset, tmp_path, nothing_decoded):
    scenes, tagged = as_location(in_memory(place / "demo" / "development")), in_memory(audioset)
    filling = Filling(tmp_path, seconds=0.5)
    assert len(filling.audioset(as_location(tagged), all_clips=True)[0]) == 20
    Filling(tmp_path).scenes(scenes)
    nothing_decoded()
    assert len(load_data(read_corpus(scenes), 5, None, tmp_path).train) > 0
    ours, folders = read_audioset(tagged), read_audioset(audioset)
    assert ours.files == folders.files
    data = load_audioset(ours, tmp_path, validation=4, seconds=0.5)
    middle = data.test.audio.gather(np.arange(5))[:, 4_000]
    np.testing.assert_allclose(middle, 0.1, atol=1e-3)


def test_stereo_clips_are_read_from_a_url(stereo, tmp_path):
    root, evaluation = (Path(flag.split("=")[1]) for flag in stereo[:2])
    filling = Filling(tmp_path, seconds=1.3)
    filled = filling.task1b(root, evaluation)
    urls = [as_location(in_memory(one)) for one in (root, evaluation)]
    for one, other in zip(filled, filling.task1b(*urls), strict=True):
        rows = np.arange(len(one))
        np.testing.assert_array_equal(one.gather(rows), other.gather(rows))


def test_a_clip_that_is_missing_at_a_url_is_one_line(place, tmp_path):
    url = in_memory(place / "demo" / "development")
    corpus = read_corpus(url)
    gone = corpus.test().filenames[0]
    tf.io.gfile.remove(f"{url}/{gone}")
    message = f"{url}: clip of the list is missing; received {gone}"
    with pytest.raises(InputError, match=re.escape(message)):
        Filling(tmp_path).scenes(as_location(url), lists=["test.csv"])


def stored(stores, name):
    """Bytes of the rows in the store of a folder of this name."""
    (store,) = stores.glob(f"{name}-*")
    return [path.read_bytes() for path in sorted(store.iterdir())]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data_dir=none"], "none: data folder does not exist"),
        (["--data_dir=ram://none/TAU"], "ram://none/TAU: data folder does not exist"),
        pytest.param(
            ["--data_dir=s9://b/TAU"],
            "s9://b/TAU: unknown kind of storage; expected az://, file://",
            marks=needs_tensorflow_io,
        ),
        pytest.param(
            ["--data_dir=http://127.0.0.1:9/TAU"],
            "127.0.0.1:9/TAU: storage cannot be reached",
            marks=needs_tensorflow_io,
        ),
        (["--data_dir=x", "--corpus=audioset", "--lists=a"], "do not apply to --corpus=audio"),
        (["--data_dir=x", "--all_clips"], "applies to --corpus=audioset only"),
    ],
)
def test_what_is_wrong_ends_in_one_line(flags, message):
    done = run("dcase_system.audio.ingest", *flags)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
