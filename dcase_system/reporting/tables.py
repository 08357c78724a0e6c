"""Tables as text."""

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal columns, comma-separated."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of equal columns as a Markdown table, cells as text: names may come from outside."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    shown = [[_cell(cell) for cell in line] for line in lines]
    shown.insert(1, ["---"] * len(rows[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in shown)


def _cell(text: str) -> str:
    escaped = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\|`]|(?<=\])\()", r"\\\1", escaped)
