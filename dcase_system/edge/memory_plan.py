"""Places buffers in one memory, where those alive at the same time must not overlap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_TRIES = 2_000


@dataclass(frozen=True)
class Buffer:
    """A tensor in the arena.

    Attributes:
        bytes: Size.
        first: Operator that writes it, counted from 1; 0 for an input.
        last: Last operator that reads it.
    """

    bytes: int
    first: int
    last: int

    def meets(self, other: "Buffer") -> bool:
        """Whether both are alive at the same time."""
        return self.first <= other.last and other.first <= self.last


def plan(living: Sequence[Buffer]) -> list[int]:
    """Returns each buffer's offset as TFLite Micro plans it, byte for byte.

    It places buffers by size, largest first, each at the lowest offset that no buffer alive at the
    same time occupies (`GreedyMemoryPlanner`, tensorflow/tflite-micro).
    """
    return _placed(living, _by_size(living))


def better_plan(living: Sequence[Buffer]) -> list[int]:
    """Returns offsets that need at most the memory of `plan`, and mostly the least possible.

    Moves a random buffer to another place in the order, and keeps an order that needs no more than
    the best one so far; the same buffers give the same plan.
    """
    generator, order = np.random.default_rng(0), _by_size(living)
    best, goal = _placed(living, order), least(living)
    for _ in range(_TRIES):
        if end(living, best) == goal:
            break
        taken, put = generator.integers(0, len(living), 2)
        moved = order.copy()
        moved.insert(put, moved.pop(taken))
        offsets = _placed(living, moved)
        if end(living, offsets) <= end(living, best):
            best, order = offsets, moved
    return best


def end(living: Sequence[Buffer], offsets: Sequence[int]) -> int:
    """Returns the memory that a plan needs, in bytes."""
    ends = (offset + one.bytes for offset, one in zip(offsets, living, strict=True))
    return max(ends, default=0)


def least(living: Sequence[Buffer]) -> int:
    """Returns the largest number of bytes alive at the same time; no plan can need less."""
    times = {one.first for one in living}
    alive = (sum(one.bytes for one in living if one.first <= at <= one.last) for at in times)
    return max(alive, default=0)


def _by_size(living: Sequence[Buffer]) -> list[int]:
    # Of two buffers of equal size, TFLite Micro places the later one in the file first.
    return sorted(range(len(living)), key=lambda index: (-living[index].bytes, -index))


def _placed(living: Sequence[Buffer], order: Iterable[int]) -> list[int]:
    """Places buffers in an order, each at the lowest offset that is free while it is alive."""
    offsets: dict[int, int] = {}
    for index in order:
        offset = 0
        placed = sorted(
            (offsets[other], living[other].bytes)
            for other in offsets
            if living[other].meets(living[index])
        )
        for begin, size in placed:
            if begin - offset >= living[index].bytes:
                break
            offset = max(offset, begin + size)
        offsets[index] = offset
    return [offsets[index] for index in range(len(living))]
