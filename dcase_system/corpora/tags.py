"""Clips with any number of labels each."""

from dataclasses import dataclass

import numpy as np


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class TaggedClips:
    """Clips of a multi-label corpus, in order of use.

    Attributes:
        filenames: Path of each clip below the corpus folder.
        labels: float32 (clips, classes), 1 where the class is present.
    """

    filenames: tuple[str, ...]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.filenames)

    def take(self, rows: np.ndarray) -> "TaggedClips":
        """Selects clips by positions, in that order, or by a boolean mask."""
        positions = np.arange(len(self))[rows]
        return TaggedClips(
            tuple(self.filenames[position] for position in positions), self.labels[positions]
        )


def presence(labels: np.ndarray, classes: int | None = None) -> np.ndarray:
    """Returns float32 (clips, classes), 1 where the class is present.

    Args:
        labels: Class indices (clips,), or labels (clips, classes) that are in this form already.
        classes: Number of classes for class indices; by default up to the largest index.
    """
    return (
        labels
        if labels.ndim == 2
        else np.eye(classes or labels.max() + 1, dtype=np.float32)[labels]
    )
