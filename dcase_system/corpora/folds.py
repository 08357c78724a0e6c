"""Divides training clips into folds of whole recording locations."""

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.tags import presence


def location_folds(clips: Clips, folds: int, seed: int) -> np.ndarray:
    """Assigns each clip to a fold, so that the clips of a location share one.

    Scene by scene, each location goes to the fold with the fewest clips of that scene, the largest
    locations first.

    Args:
        clips: Training clips.
        folds: Number of folds.
        seed: Seed for the order of locations of one size.

    Returns:
        (clips,) numbers of folds, from 0.

    Raises:
        InputError: A fold would be empty, or would leave a scene without other clips.
    """
    group_of = np.unique(clips.locations, return_inverse=True)[1]
    fold_of = np.full(group_of.max() + 1, -1)  # by location
    clips_in = np.zeros(folds, np.int64)
    generator = np.random.default_rng(seed)
    present = presence(clips.labels) != 0
    present = present[:, present.any(axis=0)]
    for has_scene in present.T:
        counts = np.bincount(group_of[has_scene], minlength=len(fold_of))
        order = generator.permutation(np.flatnonzero(counts))
        of_scene = [counts[fold_of == fold].sum() for fold in range(folds)]
        for group in order[np.argsort(-counts[order], kind="stable")]:
            if fold_of[group] >= 0:  # its clips are of several scenes
                continue
            fold = min(range(folds), key=lambda one: (of_scene[one], clips_in[one]))
            fold_of[group] = fold
            of_scene[fold] += counts[group]
            clips_in[fold] += (group_of == group).sum()
    found = fold_of[group_of]
    for fold in range(folds):
        if not present[found != fold].any(axis=0).all() or not (found == fold).any():
            raise InputError(
                "too few recording locations for folds",
                where="folds",
                expected="as many locations as folds, and at least 2 of each scene",
                received=f"{folds} folds of {len(fold_of)} locations",
            )
    return found
