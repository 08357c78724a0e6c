import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.corpora import tau
from dcase_system.corpora.demo import sounds
from dcase_system.corpora.demo.devices import DEVICES, record
from dcase_system.corpora.demo.scenes import SCENES, draw_site, render
from dcase_system.corpora.demo.write import write_wav
from tests.corpora.clips import samples

RATE = 44_100
ALL_SOUNDS = sorted({i.sound for s in SCENES.values() for i in s.ingredients}, key=repr)


def test_the_scenes_are_those_of_tau():
    assert tuple(SCENES) == tau.SCENES
    assert tuple(DEVICES) == tau.DEVICES


@pytest.mark.parametrize("sound", ALL_SOUNDS, ids=lambda sound: sound.__name__)
@pytest.mark.parametrize("character", [0.0, 1.0])
def test_every_sound_is_finite_and_about_one_in_rms(sound, character):
    levels = []
    for seed in range(20):
        signal = sound(np.random.default_rng(seed), RATE, character)
        assert signal.shape == (RATE,)
        assert signal.dtype == np.float32
        assert np.isfinite(signal).all()
        levels.append(np.sqrt(np.mean(signal**2)))
    assert 0.1 < max(levels) < 4


def test_a_sound_differs_from_time_to_time_but_not_for_the_same_generator():
    first, second, third = (sounds.babble(np.random.default_rng(s), RATE, 0.5) for s in (0, 0, 1))
    assert np.array_equal(first, second)
    assert not np.allclose(first, third)


def test_parallel_takes_are_the_same_sound_in_another_colour():
    site = draw_site("tram", np.random.default_rng(0))
    heard = render(site, RATE, np.random.default_rng(1))
    takes = {name: record(heard, name, np.random.default_rng(2)) for name in DEVICES}
    assert np.corrcoef(takes["a"], heard)[0, 1] > 0.999
    for name, take in takes.items():
        assert np.corrcoef(take, heard)[0, 1] > 0.3, name
        assert np.abs(take).max() <= 1
        assert name == "a" or not np.allclose(take, takes["a"], atol=1e-3)


def test_loud_sounds_are_clipped_and_not_wrapped_around(tmp_path):
    loud = record(np.full(RATE, 3.0, np.float32), "a", np.random.default_rng(0))
    write_wav(tmp_path / "loud.wav", loud)
    middle = samples(tmp_path / "loud.wav")[1000:-1000]
    assert (middle > 0.99).all()


@given(value=st.floats(-1, 1))
def test_24_bit_samples_are_written_to_the_nearest(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.wav"
    write_wav(path, np.full(RATE, value))
    assert abs(samples(path)[0] - value) <= 2**-23 + abs(value) * 2**-23
