"""Clips of any common length load; for another length the error names the flag."""

import numpy as np
import pytest

from dcase_system.audio.clips import load_data, load_mixtures, stereo_waveforms
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.lists import read_split
from dcase_system.corpora.mixtures import MIXED_SPLIT
from tests.corpora.lists import noisy_corpus, write_noise


@pytest.mark.parametrize(
    ("seconds", "rate", "samples"),
    [(0.5, 16_000, 16_000), (2.0, 44_100, 64_000), (30_001 / 44_100, 44_100, 21_769)],
)
def test_clips_of_any_equal_length_are_loaded(tmp_path, seconds, rate, samples):
    root = noisy_corpus(tmp_path / "corpus", seconds, rate)
    corpus, stores = read_corpus(root), tmp_path / "stores"
    data = load_data(corpus, 100, root / "evaluation", stores, seconds=seconds)
    for audio in (data.train.audio, data.test.audio, data.evaluation_audio):
        assert audio.shape == (samples,)
    assert len(np.unique(data.train.audio.gather(np.arange(len(data.train))), axis=0)) == 8


@pytest.mark.parametrize(
    ("seconds", "rate", "said"),
    [
        (2.0, 44_100, "expected 1 s; received 2 s; give --seconds=2 if all are that long"),
        (0.5, 16_000, "expected 1 s; received 0.5 s; give --seconds=0.5 if"),
        (30_001 / 44_100, 44_100, "give --seconds=0.680294785 if"),
        (10.0, 8_000, "give --seconds=10 if"),
    ],
)
def test_another_length_is_named_with_the_flag_before_anything_is_decoded(
    tmp_path, seconds, rate, said
):
    root = noisy_corpus(tmp_path / "corpus", seconds, rate)
    stores = tmp_path / "stores"
    with pytest.raises(InputError, match=said) as caught:
        load_data(read_corpus(root), 100, None, stores)
    assert str(caught.value).startswith(f"{root / 'audio' / 'bus-0.wav'}: clip length differs")
    assert not stores.exists()
    given = float(str(caught.value).partition("--seconds=")[2].split()[0])
    load_data(read_corpus(root), 100, None, stores, seconds=given)  # what it says helps


def test_one_clip_of_another_length_is_named(tmp_path):
    root = noisy_corpus(tmp_path / "corpus", 0.5)
    write_noise(root, ["audio/park-1.wav"], 0.75)
    with pytest.raises(InputError, match=r"park-1\.wav: clip has another length; .*\(0\.75 s\)"):
        load_data(read_corpus(root), 100, None, tmp_path / "stores", seconds=0.5)


def test_stereo_clips_of_another_length_are_named_with_the_flag(tmp_path):
    write_noise(tmp_path, ["a.wav", "b.wav"], 2.5, channels=2)
    with pytest.raises(InputError, match=r"expected 10 s; received 2\.5 s; give --seconds=2\.5"):
        stereo_waveforms(tmp_path / "stores", tmp_path, ["a.wav", "b.wav"], 16_000, 10.0)


def test_mixtures_are_as_long_as_their_clips_or_longer(tmp_path):
    lists = read_split(read_corpus(noisy_corpus(tmp_path / "corpus", 0.5)), MIXED_SPLIT)
    sizes = {"train": 4, "validation": 3, "test": 2}
    data = load_mixtures(lists, tmp_path / "stores", **sizes, seconds=0.5)
    assert data.train.audio.shape == data.test.audio.shape == (16_000,)
    longer = load_mixtures(lists, tmp_path / "stores", **sizes, seconds=0.5, mixture_seconds=0.75)
    assert longer.train.audio.shape == (24_000,)
    with pytest.raises(InputError, match=r"give --seconds=0\.5"):
        load_mixtures(lists, tmp_path / "stores", **sizes)
