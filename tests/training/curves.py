"""What TensorBoard would show of a log, point by point."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

Point = tuple[str, int, np.float32]


def points(folder: Path) -> list[Point]:
    """(tag, step, value) of every point in a folder's event files, repeated ones included."""
    found = []
    for path in folder.glob("events.out.tfevents.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            found += [
                (value.tag, event.step, np.float32(tf.make_ndarray(value.tensor)))
                for value in event.summary.value
            ]
    return sorted(found)


def assert_drawn(log: Path, folder: Path, axis: str = "epoch") -> None:
    """The curves of a folder have a point for each value of a log, and no other."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    expected = [
        (f"{axis}/{name}", row[axis], np.float32(value))
        for row in rows
        for name, value in row.items()
        if name != axis
    ]
    assert rows and points(folder) == sorted(expected)
