"""Lines that `classify` prints for a segment of audio: text, JSON or CSV."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dcase_system.training.rejection import UNKNOWN


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


def text_line(name: str, result: Result, labels: Sequence[str], top: int) -> str:
    """Formats the position, the most probable classes and the notes."""
    best = np.argsort(-result.probabilities, kind="stable")[:top]
    classes = "  ".join(f"{labels[index]} {result.probabilities[index]:.2f}" for index in best)
    notes = f"  ({'; '.join(result.notes)})" if result.notes else ""
    answer = f"{UNKNOWN}: " if _is_rejected(result) else ""
    return f"{name}  {result.position}  {answer}{classes}{notes}"


def json_line(name: str, result: Result, labels: Sequence[str]) -> str:
    """Formats a JSON object with the probability of every class."""
    return json.dumps(
        {
            "file": name,
            "start_seconds": result.start_seconds,
            "end_seconds": result.end_seconds,
            "scene": _answer(result, labels),
            "probabilities": dict(zip(labels, result.probabilities.tolist(), strict=True)),
            "notes": list(result.notes),
        }
    )


def csv_header(labels: Sequence[str]) -> str:
    """Formats the first row of a table of `csv_line`."""
    return _row(["file", "start_seconds", "end_seconds", "class", *labels])


def csv_line(name: str, result: Result, labels: Sequence[str]) -> str:
    """Formats a row: position, answer, and the probability of every class."""
    numbers = result.start_seconds, result.end_seconds
    return _row([name, *numbers, _answer(result, labels), *result.probabilities.tolist()])


def _answer(result: Result, labels: Sequence[str]) -> str:
    return UNKNOWN if _is_rejected(result) else labels[int(result.probabilities.argmax())]


def _is_rejected(result: Result) -> bool:
    return bool(result.probabilities.max() < result.threshold)


def _row(fields: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(fields)
    return written.getvalue()
