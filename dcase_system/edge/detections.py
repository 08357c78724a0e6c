"""Scores a classifier on continuous audio: events that it misses, false alarms an hour.

At a threshold, consecutive windows in which a class has at least this probability are one detection
of the class. A detection is correct if at least half of it lies within events of its class, each
widened by a window at both ends, since a window that only touches an event may have its class. All
others are false alarms; among them are detections that go on far longer than any event. An event is
found if a correct detection of its class overlaps it. (PSDS calls the share a detection tolerance
criterion: Bilen et al., "A framework for the robust evaluation of sound event detection", 2020.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dcase_system.edge.events import Event

_LEAST_SHARE_WITHIN = 0.5
# Equally far apart in their logits, so that those near 0 and 1, where networks are sure, differ.
THRESHOLDS: tuple[float, ...] = tuple(1 / (1 + np.exp(-np.linspace(-6, 9, 61))))

Stretch = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of a recording.

    Attributes:
        seconds: Length of the recording, up to the end of its last window.
        starts: (windows,) seconds.
        length: Length of a window in seconds.
        probabilities: (windows, classes).
        events: Events of the recording.
    """

    seconds: float
    starts: np.ndarray
    length: float
    probabilities: np.ndarray
    events: Sequence[Event]


@dataclass(frozen=True)
class Score:
    """Counts of one class, or of all, at one threshold."""

    threshold: float
    events: int
    missed: int
    false_alarms: int
    false_alarms_an_hour: float


def score(
    recordings: Sequence[Windows], classes: Iterable[tuple[int, str]], threshold: float
) -> Score:
    """Scores classes together.

    Args:
        recordings: Windows of all recordings.
        classes: Index and name of each class.
        threshold: Least probability of a detection.
    """
    events = missed = false_alarms = 0
    for index, label in classes:
        for windows in recordings:
            there = [
                (one.onset_seconds, one.offset_seconds)
                for one in windows.events
                if one.label == label
            ]
            found = detections(
                windows.starts, windows.length, windows.probabilities[:, index] >= threshold
            )
            correct = [one for one in found if _is_correct(one, there, windows.length)]
            events += len(there)
            missed += sum(not any(_overlap(one, event) for one in correct) for event in there)
            false_alarms += len(found) - len(correct)
    hours = sum(windows.seconds for windows in recordings) / 3600
    return Score(threshold, events, missed, false_alarms, false_alarms / hours)


def detections(starts: np.ndarray, length: float, active: np.ndarray) -> list[Stretch]:
    """Joins active windows that follow each other.

    Args:
        starts: (windows,) seconds, ascending.
        length: Length of a window in seconds.
        active: (windows,) whether the class was detected.

    Returns:
        Start and end of each detection in seconds.
    """
    edges = np.diff(np.concatenate([[0], active.astype(int), [0]]))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(float(starts[a]), float(starts[b]) + length) for a, b in zip(first, last, strict=True)]


def _is_correct(detection: Stretch, events: Sequence[Stretch], margin: float) -> bool:
    # Widened events may overlap each other: what two of them cover counts once.
    covered, end = 0.0, detection[0]
    for onset, offset in events:  # in order of onset
        start = max(onset - margin, end)
        end = max(end, min(offset + margin, detection[1]))
        covered += max(0.0, end - start)
    return covered >= _LEAST_SHARE_WITHIN * (detection[1] - detection[0])


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one[0] < other[1] and other[0] < one[1]
