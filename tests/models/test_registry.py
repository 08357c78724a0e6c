"""Architectures for other classes and clips of another length."""

from dataclasses import replace

import numpy as np
import pytest

from dcase_system.audio.specs import KaldiMelSpec, LogMelSpec
from dcase_system.models import registry

RATE = 32_000


@pytest.mark.parametrize("name", ["cp_mobile", "sscp_mobile_s1", "cp_mobile_teacher", "passt_tiny"])
def test_the_published_length_is_one_second(name):
    spec = registry.named_spec(name)
    front_end = KaldiMelSpec() if name == "passt_tiny" else LogMelSpec()
    assert registry.for_clips(spec, spec.classes, front_end.frames(RATE)) == spec


@pytest.mark.parametrize("seconds", [0.1, 0.5, 0.68, 2.0, 10.0])
def test_convolutional_networks_take_clips_of_any_length(seconds):
    frames = LogMelSpec().frames(round(seconds * RATE))
    spec = registry.for_clips(registry.named_spec("sscp_mobile_s1"), 3, frames)
    assert (spec.classes, spec.input_shape) == (3, (256, frames))
    network = registry.build(spec)
    assert network.input_shape == (None, 256, frames, 1)
    assert network(np.zeros((2, 256, frames, 1), np.float32)).shape == (2, 3)


@pytest.mark.parametrize("seconds", [0.5, 2.0, 3.7])
def test_a_small_passt_gets_embeddings_for_longer_clips(seconds):
    frames = KaldiMelSpec().frames(round(seconds * RATE))
    spec = registry.for_clips(registry.named_spec("passt_tiny"), 3, frames)
    assert spec.grid[1] == max(25, frames // 4)
    assert registry.build(spec)(np.zeros((2, 128, frames, 1), np.float32)).shape == (2, 3)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 10.0])
def test_a_published_passt_stays_as_it_is_up_to_ten_seconds(seconds):
    spec = registry.named_spec("passt_s")
    frames = KaldiMelSpec().frames(round(seconds * RATE))
    assert registry.for_clips(spec, 10, frames) == replace(spec, classes=10)
