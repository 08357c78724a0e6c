"""Tables of the lists in a JSON file: a row for each object, its numbers by their place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dcase_system.reporting.content import Cell, Document, Table, Verdict


@dataclass(frozen=True)
class Column:
    """One of the values that each object of a list has.

    Attributes:
        heading: of the column.
        keys: where in the object the value stands.
        spec: how a number is formatted; empty for text.
        scale: what a number is multiplied with before.
        words: what stands for true and false.
    """

    heading: str
    keys: tuple[str | int, ...]
    spec: str = ""
    scale: float = 1.0
    words: Mapping[bool, str] = field(default_factory=dict)

    def cell(self, document: Document, *place: str | int) -> Cell:
        """The value of the object at this place."""
        if self.spec:
            return document.number(*place, *self.keys, spec=self.spec, scale=self.scale)
        value = document.get(*place, *self.keys)
        if isinstance(value, bool):
            return self.words.get(value)
        return None if value is None else str(value)


def limits(document: Document, *place: str | int) -> Iterator[Verdict]:
    """The rules that are listed at this place of a complexity report."""
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
    """The list that stands at this place as a table; None if there is nothing in it.

    Args:
        document: that holds the list.
        place: where in it.
        name: of the table.
        title: of the table.
        columns: of the table.
        long: see `Table`.
        across: see `Table`.
    """
    rows = [
        [column.cell(document, *place, at) for column in columns]
        for at, _ in document.entries(*place)
    ]
    headings = [column.heading for column in columns]
    return Table(name, title, headings, rows, long, across) if rows else None


def published_on(document: Document, rows: str) -> str:
    """Where the published rows of a file were measured, and whether that is where ours were.

    Args:
        document: that holds the rows, and beside them `same_corpus`.
        rows: where it holds them.
    """
    corpora = ", ".join(sorted({str(row.get("corpus")) for row in document.rows(rows)}))
    other = "" if document.get("same_corpus") is True else ", another corpus than ours"
    return f"Published rows: {corpora}{other}"
