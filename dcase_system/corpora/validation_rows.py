"""Selects training clips to hold out: whole recording locations, or whole cities."""

from typing import Literal

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.tags import presence


def validation_rows(
    clips: Clips, fraction: float, seed: int, group: Literal["location", "city"] = "location"
) -> np.ndarray:
    """Selects training clips to hold out for model selection: whole groups, all devices.

    Devices b, c and s1-s6 are parallel takes of device a, so the clips of a location are never
    split. Groups are drawn per scene until `fraction` of its clips is reached, so that every scene
    with at least two groups is represented. No group is drawn that would leave a scene without
    training clips.

    Args:
        clips: Training clips.
        fraction: Fraction of each scene's clips to hold out, in [0, 1).
        seed: Seed for sampling the groups.
        group: Unit that is held out: a location, or a city, which is the part of the location
            before its first hyphen.

    Returns:
        A boolean mask over `clips`, True for validation.

    Raises:
        InputError: `fraction` is out of range.
    """
    if not 0.0 <= fraction < 1.0:
        raise InputError(
            "validation fraction out of range",
            where="validation_fraction",
            expected="[0, 1)",
            received=fraction,
        )
    names = list(clips.locations)
    if group == "city":
        names = [name.split("-")[0] for name in names]
    groups = np.unique(names, return_inverse=True)[1]
    present = presence(clips.labels) != 0
    present = present[:, present.any(axis=0)]
    held = np.zeros(len(clips), bool)
    generator = np.random.default_rng(seed)
    for of_scene in present.T:
        for drawn in generator.permutation(np.unique(groups[of_scene])):
            # A group can hold clips of several scenes: groups held out for earlier scenes count.
            if held[of_scene].sum() >= fraction * of_scene.sum():
                break
            wider = held | (groups == drawn)
            if present[~wider].any(axis=0).all():
                held = wider
    return held
