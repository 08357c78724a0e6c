import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.edge.detections import THRESHOLDS, Score, Windows, detections, score
from dcase_system.edge.events import Event

CLASSES = [(0, "bell"), (1, "dog")]


def windows(bell, events, dog=None):
    """Windows of a second, side by side."""
    probabilities = np.stack([bell, np.zeros(len(bell)) if dog is None else dog], axis=-1)
    starts = np.arange(len(bell), dtype=float)
    return Windows(float(len(bell)), starts, 1.0, probabilities, events)


def test_windows_that_follow_each_other_are_one_detection():
    active = np.array([True, True, False, True])
    assert detections(np.arange(4.0), 1.5, active) == [(0.0, 2.5), (3.0, 4.5)]
    assert detections(np.arange(4.0), 1.0, np.zeros(4, bool)) == []


def test_an_hour_with_one_event_found_one_missed_and_one_false_alarm():
    bell = np.zeros(3600)
    bell[[100, 101, 2000]] = 0.9
    recording = windows(bell, [Event(100.2, 101.1, "bell"), Event(700.0, 702.0, "bell")])
    assert score([recording], CLASSES[:1], 0.5) == Score(0.5, 2, 1, 1, 1.0)
    assert score([recording, recording], CLASSES[:1], 0.5) == Score(0.5, 4, 2, 2, 1.0)
    assert score([recording], CLASSES[:1], 0.95) == Score(0.95, 2, 2, 0, 0.0)


def test_only_a_detection_of_its_own_class_finds_an_event():
    bell, dog = np.zeros(60), np.zeros(60)
    dog[10] = 0.9
    recording = windows(bell, [Event(10.0, 11.0, "bell")], dog)
    assert score([recording], CLASSES, 0.5) == Score(0.5, 1, 1, 1, 60.0)


@pytest.mark.parametrize(("active", "missed", "false_alarms"), [(6, 0, 0), (7, 1, 1)])
def test_a_detection_more_than_half_outside_widened_events_is_a_false_alarm(
    active, missed, false_alarms
):
    """An event of a second, and a second at both ends, are half of six."""
    bell = np.zeros(20)
    bell[5 : 5 + active] = 1.0
    found = score([windows(bell, [Event(7.0, 8.0, "bell")])], CLASSES[:1], 0.5)
    assert (found.missed, found.false_alarms) == (missed, false_alarms)


def test_what_two_widened_events_cover_counts_once():
    bell = np.ones(8)
    events = [Event(3.0, 4.0, "bell"), Event(3.5, 4.0, "bell")]
    assert score([windows(bell, events)], CLASSES[:1], 0.5).false_alarms == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 28))
def test_counts_are_within_what_there_is(probabilities, onset):
    events = [Event(float(onset), onset + 1.0, "bell")] if onset < len(probabilities) else []
    recording = windows(np.array(probabilities), events)
    for threshold in THRESHOLDS[::10]:
        found = score([recording], CLASSES[:1], threshold)
        assert 0 <= found.missed <= found.events == len(events)
        assert 0 <= found.false_alarms <= (len(probabilities) + 1) // 2


def test_thresholds_ascend_between_zero_and_one():
    assert all(np.diff((0.0, *THRESHOLDS, 1.0)) > 0)
