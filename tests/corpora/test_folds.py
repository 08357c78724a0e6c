import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.folds import location_folds
from tests.corpora.test_validation_rows import clips_of_some_places


@given(clips=clips_of_some_places(), folds=st.integers(2, 4), seed=st.integers(0, 2**32))
def test_folds_hold_whole_locations_and_leave_every_scene_or_are_refused(clips, folds, seed):
    try:
        found = location_folds(clips, folds, seed)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert set(found) == set(range(folds))
    for fold in range(folds):
        assert set(clips.labels[found != fold]) == set(clips.labels)
    fold_of = dict(zip(clips.locations, found, strict=True))
    assert [fold_of[location] for location in clips.locations] == found.tolist()
    assert np.array_equal(found, location_folds(clips, folds, seed))


def clips_at(*places):
    """One clip for each (scene, location)."""
    return Clips(
        filenames=tuple(map(str, range(len(places)))),
        labels=np.array([scene for scene, _ in places]),
        locations=tuple(location for _, location in places),
        devices=("a",) * len(places),
    )


def test_folds_have_equally_many_clips_of_each_scene_where_locations_allow_it():
    sizes = {"oslo-1": 3, "oslo-2": 2, "oslo-3": 1, "rome-1": 4, "rome-2": 4}
    places = [
        (int(one.startswith("rome")), one) for one, size in sizes.items() for _ in range(size)
    ]
    clips = clips_at(*places)
    found = location_folds(clips, 2, seed=0)
    assert np.array_equal(
        np.stack([np.bincount(clips.labels[found == x]) for x in (0, 1)]), [[3, 4]] * 2
    )


@pytest.mark.parametrize(
    ("places", "folds"),
    [
        ([(0, "a"), (0, "b"), (1, "c")], 2),  # one location of scene 1
        ([(0, "a"), (1, "a"), (0, "b"), (1, "b")], 3),  # two locations in all
    ],
)
def test_too_few_locations_are_refused(places, folds):
    with pytest.raises(InputError, match="too few recording locations for folds"):
        location_folds(clips_at(*places), folds, seed=0)
