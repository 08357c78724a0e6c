import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.validation_rows import validation_rows


@st.composite
def clips_of_some_places(draw, shared=(False, True)):
    """Clips of up to 4 scenes at up to 6 locations, which scenes share or have each their own."""
    places = st.tuples(st.integers(0, 3), st.integers(0, 5))
    rows = draw(st.lists(places, min_size=1, max_size=80))
    offset = 0 if draw(st.sampled_from(shared)) else 10
    cities = ("lyon", "oslo", "rome")
    return Clips(
        filenames=tuple(f"audio/{index}.wav" for index in range(len(rows))),
        labels=np.array([scene for scene, _ in rows]),
        locations=tuple(f"{cities[place % 3]}-{offset * scene + place}" for scene, place in rows),
        devices=("a",) * len(rows),
    )


def group_of(location, group):
    return location if group == "location" else location.split("-")[0]


@given(
    clips=clips_of_some_places(),
    fraction=st.floats(0, 0.99),
    seed=st.integers(0, 2**32),
    group=st.sampled_from(["location", "city"]),
)
def test_validation_holds_out_whole_groups_and_leaves_every_scene(clips, fraction, seed, group):
    held = validation_rows(clips, fraction, seed, group)
    assert held.dtype == bool
    groups = np.array([group_of(location, group) for location in clips.locations])
    assert not set(groups[held]) & set(groups[~held])
    assert set(clips.labels[~held]) == set(clips.labels)
    assert np.array_equal(held, validation_rows(clips, fraction, seed, group))


@given(
    clips=clips_of_some_places(shared=(False,)),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
)
def test_validation_reaches_its_fraction_of_each_scene_or_leaves_one_location(
    clips, fraction, seed
):
    held = validation_rows(clips, fraction, seed)
    locations = np.array(clips.locations)
    for scene in np.unique(clips.labels):
        of_scene = clips.labels == scene
        enough = held[of_scene].sum() >= fraction * of_scene.sum()
        assert enough or len(set(locations[of_scene & ~held])) == 1


def test_no_validation_is_possible():
    clips = Clips(("x", "y"), np.array([0, 0]), ("l-1", "l-2"), ("a", "a"))
    assert not validation_rows(clips, 0.0, seed=0).any()
    with pytest.raises(InputError, match=r"expected \[0, 1\); received 1.0"):
        validation_rows(clips, 1.0, seed=0)


def test_every_label_stays_in_training_where_clips_have_several():
    labels = np.random.default_rng(0).random((60, 5)) < 0.3
    locations = tuple(f"oslo-{row % 12}" for row in range(60))
    clips = Clips(tuple(map(str, range(60))), labels.astype(np.float32), locations, ("a",) * 60)
    held = validation_rows(clips, 0.3, seed=1)
    assert labels[~held].any(axis=0).all()
    assert (labels[held].sum(axis=0) >= 0.3 * labels.sum(axis=0)).all()
    assert not set(np.array(locations)[held]) & set(np.array(locations)[~held])
