"""Silence and clipping follow their definitions."""

import numpy as np
import pytest

from dcase_system.audio.levels import level_notes


@pytest.mark.parametrize(
    ("samples", "notes"),
    [
        (np.zeros(0), ("silent",)),
        (np.array([0.0, -0.9e-4]), ("silent",)),
        (np.array([0.0, -1.1e-4]), ()),
        (np.repeat([0.5, -1.0], [999, 1]), ("clipped",)),  # a thousandth
        (np.repeat([0.5, -1.0], [1_000, 1]), ()),
        (np.full((4, 2), 0.99), ()),
    ],
)
def test_the_level_of_samples(samples, notes):
    assert level_notes(samples) == notes
