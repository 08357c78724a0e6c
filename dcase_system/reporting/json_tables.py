"""Builds tables from lists in a JSON file: a row per object, numbers with their sources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dcase_system.reporting.content import Table, Verdict
from dcase_system.reporting.numbers import Cell, Document


@dataclass(frozen=True)
class Column:
    """A column: one value of each object in a list.

    Attributes:
        heading: Column heading.
        keys: Location of the value in the object.
        spec: Format specification of a number; empty for text.
        scale: Factor applied to a number before formatting.
        words: Text for true and false.
    """

    heading: str
    keys: tuple[str | int, ...]
    spec: str = ""
    scale: float = 1.0
    words: Mapping[bool, str] = field(default_factory=dict)

    def cell(self, document: Document, *place: str | int) -> Cell:
        """Returns the cell for the object at this location."""
        if self.spec:
            return document.number(*place, *self.keys, spec=self.spec, scale=self.scale)
        value = document.get(*place, *self.keys)
        if isinstance(value, bool):
            return self.words.get(value)
        return None if value is None else str(value)


def limits(document: Document, *place: str | int) -> Iterator[Verdict]:
    """Yields the rules listed at this location of a complexity report."""
    for at, rule in document.entries(*place):
        value, limit = (document.number(*place, at, key, spec=",") for key in ("value", "limit"))
        complies = rule.get("complies") is True if value else None
        yield Verdict(str(rule.get("rule")), value, limit, complies)


def listed(
    document: Document,
    place: tuple[str | int, ...],
    name: str,
    title: str,
    columns: Sequence[Column],
    *,
    long: bool = False,
    across: bool = False,
) -> Table | None:
    """Builds a table from the list at this location; None if it is empty.

    Args:
        document: Document with the list.
        place: Location of the list.
        name: Name of the table.
        title: Title of the table.
        columns: Columns of the table.
        long: See `Table`.
        across: See `Table`.
    """
    rows = [
        [column.cell(document, *place, at) for column in columns]
        for at, _ in document.entries(*place)
    ]
    headings = [column.heading for column in columns]
    return Table(name, title, headings, rows, long, across) if rows else None


def published_on(document: Document, rows: str) -> str:
    """Describes the corpus of a file's published rows, and whether it is ours.

    Args:
        document: Document with the rows and `same_corpus`.
        rows: Key of the rows.
    """
    corpora = ", ".join(sorted({str(row.get("corpus")) for row in document.rows(rows)}))
    other = "" if document.get("same_corpus") is True else ", another corpus than ours"
    return f"Published rows: {corpora}{other}"
