"""The content of a report, independent of its output: page, terminal, LaTeX."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

from dcase_system.reporting.numbers import Cell, Number, Sentence, plain


@dataclass(frozen=True)
class Table:
    """A table; all rows have the same number of cells.

    Attributes:
        name: Name of the files it is written to.
        title: Caption, with units unless the columns have them.
        columns: Column headings.
        rows: Cells: text in the first column, numbers or text in the others.
        long: Whether a page shows it collapsed, because it is too long to read in full.
        across: Whether it takes the full width of a page.
        marked: Indices of rows that a page makes stand out; their text says why.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    long: bool = False
    across: bool = False
    marked: Sequence[int] = ()

    def numeric(self, column: int) -> bool:
        """Whether a column holds only numbers, and is therefore right-aligned."""
        return column > 0 and all(not isinstance(row[column], str) for row in self.rows)


@dataclass(frozen=True)
class Mark:
    """Tooltip of a point in a figure, with the number it shows."""

    text: str
    number: Number | None = None


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes:
        name: Name of the files it is written to.
        title: Caption.
        figure: Matplotlib figure; readable without colour.
        marks: Tooltips by the artist's gid, one for each of its points.
    """

    name: str
    title: str
    figure: Figure
    marks: Mapping[str, Sequence[Mark]] = field(default_factory=dict)

    @property
    def values(self) -> list[Mark]:
        """Returns the tooltips that show a number."""
        return [mark for marks in self.marks.values() for mark in marks if mark.number]


@dataclass(frozen=True)
class Note:
    """A sentence on what is missing, or on how to read what follows."""

    sentence: Sentence

    @property
    def text(self) -> str:
        return plain(self.sentence)

    @property
    def warns(self) -> bool:
        """Whether it is a warning, which a page makes stand out."""
        return self.text.startswith("Warning:")


@dataclass(frozen=True)
class Link:
    """A link to another page; `target` is a path below this one."""

    text: str
    target: str


Block = Table | Picture | Note | Link


@dataclass(frozen=True)
class Verdict:
    """A result compared with its limit.

    Attributes:
        name: Name with unit.
        value: Measured value.
        limit: Allowed value; None if there is no limit.
        complies: Whether the value is within the limit.
        remark: Remark in small print.
    """

    name: str
    value: Cell
    limit: Cell = None
    complies: bool | None = None
    remark: Sentence = ""


@dataclass(frozen=True)
class Section:
    """A heading and its blocks."""

    title: str
    blocks: Sequence[Block]


def section(title: str, blocks: Iterable[Block | None]) -> Section:
    """Builds a section; blocks with nothing to show are None and are left out."""
    return Section(title, [block for block in blocks if block is not None])


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        title: Title of the run.
        summary: One-sentence summary.
        verdicts: Main results, at the top.
        sections: Sections in order.
    """

    title: str
    summary: str
    verdicts: Sequence[Verdict]
    sections: Sequence[Section]

    def blocks(self, kind: type) -> list[Any]:
        """Returns all blocks of a kind."""
        return [b for section in self.sections for b in section.blocks if isinstance(b, kind)]
