"""Lines that `classify` prints for a window of audio: text, JSON or CSV."""

import csv
import io
import json
from collections.abc import Iterable, Sequence

import numpy as np

from dcase_system.edge.results import Result
from dcase_system.training.rejection import UNKNOWN


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
