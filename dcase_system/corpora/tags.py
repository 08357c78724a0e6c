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
