"""Formats a table for a terminal, Markdown, LaTeX or a spreadsheet."""

import csv
import html
import io
import re
import textwrap
from collections.abc import Mapping, Sequence

from tabulate import tabulate

from dcase_system.reporting.content import Note, Table
from dcase_system.reporting.numbers import NOTHING, Cell, Number

COLUMNS = 80  # of a terminal
_LATEX = str.maketrans(
    {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {character: f"\\{character}" for character in "&%$#_{}"}
)


def shown(cell: Cell) -> str:
    """Returns a cell as text; a dash if it is empty."""
    return NOTHING if cell is None else str(cell)


def as_text(table: Table) -> str:
    """Formats a table for a terminal: first column left-aligned, the others right-aligned.

    Headings are wrapped until the table fits 80 columns; if the first column is still too wide,
    its cells are shortened in the middle, with an ellipsis.
    """
    rows = [[_plain(shown(cell)) for cell in row] for row in table.rows]
    widest = [max(cells, key=len) for cells in zip(*rows, strict=True)]
    for width in range(COLUMNS, 0, -1):
        heads = _broken(table.columns, width)
        over = max(map(len, _aligned([heads, widest]).splitlines())) - COLUMNS
        if over <= 0:
            break
    else:
        longest = max(8, len(widest[0]) - over) if rows else 0
        rows = [[_cut(first, longest), *others] for first, *others in rows]
    title = textwrap.wrap(_plain(table.title), COLUMNS)
    return "\n".join([*title, _aligned([heads, *rows])])


def note_text(note: Note) -> str:
    """Wraps a sentence for a terminal."""
    return textwrap.fill(_plain(note.text), COLUMNS)


def _broken(headings: Sequence[str], width: int) -> list[str]:
    """Wraps headings to a width, or that of their longest word, and aligns them at the bottom."""
    lines = [
        textwrap.wrap(heading, width, break_long_words=False, break_on_hyphens=False)
        for heading in headings
    ]
    height = max(map(len, lines))
    return ["\n".join([""] * (height - len(broken)) + broken) for broken in lines]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    # Headings are an ordinary row: tabulate makes columns two characters wider than its headers.
    align = ["left", *["right"] * (len(rows[0]) - 1)]
    return tabulate(
        rows, tablefmt="plain", colalign=align, disable_numparse=True, preserve_whitespace=True
    )


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    # Names often differ at their ends.
    return f"{text[: longest // 3]}…{text[len(text) - (longest - longest // 3 - 1) :]}"


def as_latex(table: Table) -> str:
    r"""Formats a `tabular` with booktabs rules, in a `table` with caption and label."""
    columns = range(len(table.columns))
    # Without rows there would be no columns either, which LaTeX rejects.
    rows = [[_plain(shown(cell)) for cell in row] for row in table.rows] or [[""] * len(columns)]
    body = tabulate(
        rows,
        table.columns,
        "latex_booktabs",
        disable_numparse=True,
        colalign=["right" if table.numeric(at) else "left" for at in columns],
    )
    caption = _plain(table.title).translate(_LATEX)
    head = f"\\begin{{table}}\n\\centering\n\\caption{{{caption}}}\n\\label{{tab:{table.name}}}"
    return f"{head}\n{body}\n\\end{{table}}\n"


def as_markdown(table: Table) -> str:
    """Formats a Markdown table under its title."""
    rows = [dict(zip(table.columns, map(shown, row), strict=True)) for row in table.rows]
    return f"{escaped(table.title)}\n\n{markdown(rows)}" if rows else f"{escaped(table.title)}\n"


def table_csv(table: Table) -> str:
    """Formats comma-separated values, with numbers at full precision."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([cell.value if isinstance(cell, Number) else cell for cell in row])
    return stream.getvalue()


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Formats rows as a Markdown table; cells are escaped, because names may be untrusted."""
    heads = [escaped(heading) for heading in rows[0]]
    cells = [[escaped(cell) for cell in row.values()] for row in rows]
    return tabulate(cells, heads, "github", disable_numparse=True) + "\n"


def _plain(text: str) -> str:
    """Removes control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def escaped(text: str) -> str:
    """Escapes untrusted text for Markdown, on one line."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\|`]|(?<=\])\()", r"\\\1", plain)
