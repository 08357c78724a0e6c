"""What a report is made of, whoever shows it: a page, a terminal, LaTeX.

A number is never typed in: it is taken from a JSON file by its place in it, and knows both, so that
whoever doubts it finds where it came from.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

NOTHING = "–"  # stands where a number is missing
MARK = "†"  # stands behind a number that a paper prints


@dataclass(frozen=True)
class Number:
    """A number and where it stands.

    Attributes:
        value: as it stands there.
        source: file name and JSON pointer (RFC 6901), `dev_test/scores.json#/forms/.../accuracy`.
        spec: how it is formatted.
        scale: what it is multiplied with before.
    """

    value: float
    source: str
    spec: str = ".1f"
    scale: float = 1.0

    def __str__(self) -> str:
        return format(self.value * self.scale if self.scale != 1.0 else self.value, self.spec)


@dataclass(frozen=True)
class Printed:
    """A number as a paper prints it; the mark tells it from those that a run has measured."""

    value: float | str

    def __str__(self) -> str:
        return f"{self.value}{MARK}"


Cell = str | Number | Printed | None


@dataclass(frozen=True)
class Document:
    """A JSON or JSON-lines file of a run, or nothing where it is missing.

    Attributes:
        name: its path below the page.
        content: what it holds; of JSON lines, a list.
        fault: why there is nothing.
    """

    name: str
    content: Any = None
    fault: str = ""

    def get(self, *keys: str | int) -> Any:
        """What stands at this place, or None."""
        found = self.content
        for key in keys:
            in_list = isinstance(found, list) and isinstance(key, int) and 0 <= key < len(found)
            if not in_list and not (isinstance(found, Mapping) and key in found):
                return None
            found = found[key]
        return found

    def number(self, *keys: str | int, spec: str = ".1f", scale: float = 1.0) -> Number | None:
        """The number that stands at this place, or None."""
        value = self.get(*keys)
        if not is_number(value):
            return None
        steps = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
        return Number(value, f"{self.name}#/{'/'.join(steps)}", spec, scale)

    def names(self, *keys: str | int) -> list[str]:
        """The names in the object that stands at this place."""
        found = self.get(*keys)
        return list(found) if isinstance(found, Mapping) else []

    def texts(self, *keys: str | int) -> list[str]:
        """What the list that stands at this place holds, as text."""
        found = self.get(*keys)
        return [str(one) for one in found] if isinstance(found, list) else []

    def rows(self, *keys: str | int, numbers: Sequence[str] = ()) -> list[Mapping[str, Any]]:
        """The objects of `entries`."""
        return [row for _, row in self.entries(*keys, numbers=numbers)]

    def entries(
        self, *keys: str | int, numbers: Sequence[str] = ()
    ) -> list[tuple[int, Mapping[str, Any]]]:
        """The objects in the list that stands at this place, and where in it each stands.

        Args:
            *keys: the place.
            numbers: names under which an object has to have numbers; others are left out.
        """
        found = self.get(*keys)
        return [
            (at, row)
            for at, row in (enumerate(found) if isinstance(found, list) else ())
            if isinstance(row, Mapping) and all(is_number(row.get(name)) for name in numbers)
        ]


def is_number(value: Any) -> bool:
    """Whether it is a finite number, and no truth value."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    # An integer may be too large to be asked whether it is finite.
    return abs(value) <= sys.float_info.max


@dataclass(frozen=True)
class Table:
    """Rows of equally many cells.

    Attributes:
        name: of the files it is written to.
        title: what it shows, with units where the columns do not say them.
        columns: their headings.
        rows: text in the first columns, numbers or text in the others.
        long: folded on a page, since nobody reads it from top to bottom.
        across: takes the width of a page, with nothing beside it.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    long: bool = False
    across: bool = False

    def numeric(self, column: int) -> bool:
        """Whether a column holds numbers alone, and so is set to the right."""
        return column > 0 and all(not isinstance(row[column], str) for row in self.rows)


@dataclass(frozen=True)
class Mark:
    """What one mark of a figure says when a reader points at it; a number knows its source."""

    text: str
    number: Number | None = None


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes:
        name: of the files it is written to.
        title: what it shows.
        figure: drawn by matplotlib; readable without colour.
        marks: what its marks say, by the gid of the artist (one text for each of its points).
    """

    name: str
    title: str
    figure: Figure
    marks: Mapping[str, Sequence[Mark]] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A sentence: what is missing, or how to read what follows."""

    text: str


@dataclass(frozen=True)
class Link:
    """Where to read on, a path below the page."""

    text: str
    target: str


Block = Table | Picture | Note | Link


@dataclass(frozen=True)
class Verdict:
    """A figure against its limit.

    Attributes:
        name: with its unit.
        value: that was reached.
        limit: that is allowed; none for what has no limit.
        complies: whether it keeps the limit.
        remark: in smaller letters.
    """

    name: str
    value: Cell
    limit: Cell = None
    complies: bool | None = None
    remark: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


def section(title: str, blocks: Iterable[Block | None]) -> Section:
    """A section of the blocks that there are: what has nothing to show is None."""
    return Section(title, [block for block in blocks if block is not None])


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        title: of the run.
        summary: one sentence.
        verdicts: what stands on top.
        sections: in their order.
    """

    title: str
    summary: str
    verdicts: Sequence[Verdict]
    sections: Sequence[Section]

    def blocks(self, kind: type) -> list[Any]:
        """All tables, or all pictures."""
        return [b for section in self.sections for b in section.blocks if isinstance(b, kind)]
