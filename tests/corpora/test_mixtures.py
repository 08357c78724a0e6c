"""Mixtures: labels of their sources, repeatable, no recording in two lists."""

import numpy as np
import pytest

from dcase_system.audio.mix import mix
from dcase_system.audio.store import Waveforms
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import DemoSize, write_demo_corpus
from dcase_system.corpora.mixtures import plan_mixtures

LISTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    size = DemoSize(
        train_locations=4, test_locations=2, train_segments=1, pieces=1, evaluation_clips=1
    )
    folder = tmp_path_factory.mktemp("demo") / "corpus"
    return read_corpus(write_demo_corpus(folder, size=size).development)


@pytest.mark.parametrize("seed", range(3))
def test_no_recording_is_in_two_lists(corpus, seed):
    places = [
        plan_mixtures(corpus, name, 200, validation_fraction=0.3, seed=seed).locations()
        for name in LISTS
    ]
    assert all(places)
    assert sum(map(len, places)) == len(frozenset.union(*places))


@pytest.mark.parametrize("name", LISTS)
def test_labels_are_the_scenes_that_are_heard(corpus, name):
    plan = plan_mixtures(corpus, name, 100, validation_fraction=0.3)
    for sources, labels in zip(plan.sources, plan.labels, strict=True):
        heard = [plan.clips.labels[row] for row in sources if row >= 0]
        assert 1 <= len(heard) == len(set(heard)) <= 3
        assert set(heard) == set(np.flatnonzero(labels))
    assert {1, 2, 3} == set(plan.labels.sum(axis=1))


def test_the_same_seed_gives_the_same_mixtures(corpus):
    one, again, other = (plan_mixtures(corpus, "train", 50, seed=seed) for seed in (0, 0, 1))
    for name in ("sources", "gains", "offsets", "labels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert not np.array_equal(one.gains, other.gains)


def test_every_clip_is_heard_about_equally_often(corpus):
    plan = plan_mixtures(corpus, "train", 400)
    heard = np.bincount(plan.sources[plan.sources >= 0], minlength=len(plan.clips))
    assert heard.max() - heard.min() <= 3


def test_a_mixture_is_the_sum_of_its_clips():
    samples = np.random.default_rng(0).integers(-8_000, 8_000, (4, 10)).astype(np.int16)
    clips = Waveforms(samples, np.array([3, 2, 1, 0]), "clips")
    sources = np.array([[0, 2], [1, -1]])
    gains, offsets = np.array([[1.0, 0.5], [0.25, 9.0]]), np.array([[0.0, 1.0], [0.5, 0.0]])
    mixed = mix(clips, sources, gains, offsets, 15)
    expected = np.zeros((2, 15))
    expected[0, :10] += samples[3]
    expected[0, 5:] += 0.5 * samples[1]
    expected[1, 3:13] = 0.25 * samples[2]
    np.testing.assert_allclose(mixed.gather(np.arange(2)), expected / 2**15, atol=1e-4)
    assert mixed.key != mix(clips, sources, gains * 0.5, offsets, 15).key


def test_a_mixture_does_not_clip():
    clips = Waveforms(np.full((2, 8), 30_000, np.int16), np.arange(2), "loud")
    mixed = mix(clips, np.array([[0, 1]]), np.ones((1, 2)), np.zeros((1, 2)), 8)
    assert mixed.samples.max() == 2**15 - 1


def test_what_cannot_be_mixed_is_refused(corpus):
    clips = Waveforms(np.zeros((2, 8), np.int16), np.arange(2), "clips")
    with pytest.raises(InputError, match="clips do not fit the mixtures"):
        mix(clips, np.array([[0, 1]]), np.ones((1, 2)), np.zeros((1, 2)), 7)
    with pytest.raises(InputError, match="clips do not fit the mixtures"):
        mix(clips, np.array([[0, 2]]), np.ones((1, 2)), np.zeros((1, 2)), 8)
    with pytest.raises(InputError, match="no such list"):
        plan_mixtures(corpus, "evaluation", 3)
    with pytest.raises(InputError, match="nothing to mix"):
        plan_mixtures(corpus, "validation", 3, validation_fraction=0.0)
