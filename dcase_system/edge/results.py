"""What a classifier answers for the windows of a recording."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dcase_system.edge.classifier import Classifier
from dcase_system.edge.windows import Window


@dataclass(frozen=True, eq=False)
class Result:
    """A segment of audio and its probabilities, (classes,).

    Below `threshold`, the most probable class is no answer: that is `unknown`.
    """

    start_seconds: float
    end_seconds: float
    probabilities: np.ndarray
    notes: tuple[str, ...]
    threshold: float = 0.0

    @property
    def position(self) -> str:
        """Start and end, in words."""
        return f"{self.start_seconds:.2f}-{self.end_seconds:.2f} s"


def mean(results: Sequence[Result]) -> Result:
    """Averages all windows of a clip."""
    notes = dict.fromkeys(note for one in results for note in one.notes)
    probabilities = np.mean([one.probabilities for one in results], axis=0)
    first, last = results[0], results[-1]
    return replace(
        first, end_seconds=last.end_seconds, probabilities=probabilities, notes=tuple(notes)
    )


def smoothed(results: Iterable[Result], windows: int) -> Iterator[Result]:
    """Replaces the probabilities of each window by the mean of the last windows, its own included.

    The first windows are averaged over as many as there are. Position and notes stay the window's.

    Args:
        results: One recording's windows in order; each is yielded before the next one is taken.
        windows: Number of windows that are averaged.
    """
    last: deque[np.ndarray] = deque(maxlen=windows)
    for result in results:
        last.append(result.probabilities)
        yield replace(result, probabilities=np.mean(last, axis=0))


def results_of(
    windows: Iterable[Window], classifier: Classifier, threshold: float = 0.0
) -> Iterator[Result]:
    """Classifies windows one by one, as they come.

    Args:
        windows: Windows of one recording.
        classifier: A classifier whose signature cut them.
        threshold: Least probability of an answer.
    """
    seconds = classifier.signature.samples / classifier.signature.sample_rate
    for window in windows:
        probabilities = classifier.probabilities(window.waveform[None])[0]
        end = window.start_seconds + seconds
        yield Result(window.start_seconds, end, probabilities, window.notes, threshold)
