"""The shards of a store: their plans and their rows, as files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcase_system.files import replacing

SHARD_BYTES = 128 * 2**20
"""Of the rows of a shard at most: what an interrupt loses of each writer's work."""


@dataclass(frozen=True)
class Shard:
    """One of a store; its plan may be there without its rows, which then are to be made.

    Attributes:
        store: folder of the store.
        number: of the shard.
    """

    store: Path
    number: int

    @property
    def plan(self) -> Path:
        """Names, sizes and modification times of its clips, in lines; the file that is locked."""
        return self.store / f"{self.number:06}.tsv"

    @property
    def rows(self) -> Path:
        """Its waveforms, int16, one after another."""
        return self.store / f"{self.number:06}.int16"

    def lines(self) -> list[str]:
        """Of the plan; none where there is no plan."""
        try:
            content = self.plan.read_bytes()
        except FileNotFoundError:
            return []
        return content.decode("utf-8", "surrogateescape").split("\n")[:-1]

    def write_plan(self, lines: Sequence[str]) -> None:
        self.rows.unlink(missing_ok=True)  # left by hand, they would pass for these clips'
        text = "".join(f"{line}\n" for line in lines)
        with replacing(self.plan) as temporary:
            temporary.write_bytes(text.encode("utf-8", "surrogateescape"))

    def is_done(self, clips: int, row_bytes: int) -> bool:
        """Whether the rows of so many clips are there; rows that were cut are not."""
        try:
            return self.rows.stat().st_size == clips * row_bytes > 0
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Takes it away; half way, it is a plan without rows."""
        self.rows.unlink(missing_ok=True)
        self.plan.unlink(missing_ok=True)


def shards_of(store: Path) -> Iterator[Shard]:
    """All that have a plan, by their numbers."""
    numbers = [int(path.stem) for path in store.glob("*.tsv") if path.stem.isdecimal()]
    return (Shard(store, number) for number in sorted(numbers))
