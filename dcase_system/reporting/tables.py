"""A table as text: for a terminal, Markdown, LaTeX, a spreadsheet."""

import csv
import html
import io
import re
import textwrap
from collections.abc import Mapping, Sequence

from dcase_system.reporting.content import NOTHING, Cell, Note, Number, Table

COLUMNS = 80  # of a terminal
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def shown(cell: Cell) -> str:
    """A cell as text; a dash where there is none."""
    return NOTHING if cell is None else str(cell)


def as_text(table: Table) -> str:
    """For a terminal: the first column to the left, the others to the right.

    Headings take as few lines as fit 80 columns; a first cell that is still too long is cut in the
    middle, with a mark.
    """
    rows = [[_plain(shown(cell)) for cell in row] for row in table.rows]
    cells = [max((len(row[at]) for row in rows), default=0) for at in range(len(table.columns))]
    most = max(1, *(len(column.split()) for column in table.columns))
    for height in range(1, most + 1):
        heads = [_narrowest(column, height) for column in table.columns]
        widths = [max([cell, *map(len, head)]) for cell, head in zip(cells, heads, strict=True)]
        if _total(widths) <= COLUMNS:
            break
    widths[0] = min(widths[0], max(8, COLUMNS - _total(widths) + widths[0]))
    heads = [[""] * (height - len(head)) + head for head in heads]
    lines = [[head[line] for head in heads] for line in range(height)]
    title = textwrap.wrap(_plain(table.title), COLUMNS)
    return "\n".join([*title, *(_line(line, widths) for line in [*lines, *rows])])


def note_text(note: Note) -> str:
    """A sentence for a terminal."""
    return textwrap.fill(_plain(note.text), COLUMNS)


def _narrowest(heading: str, height: int) -> list[str]:
    """A heading in at most so many lines, as narrow as they allow."""
    for width in range(1, len(heading) + 1):
        lines = textwrap.wrap(heading, width, break_long_words=False, break_on_hyphens=False)
        if len(lines) <= height:
            return lines
    return [heading]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, width = cells[0], widths[0]
    if len(first) > width:  # names often differ at their ends
        first = f"{first[: width // 3]}…{first[len(first) - (width - width // 3 - 1) :]}"
    others = (f"{cell:>{wide}}" for cell, wide in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([f"{first:<{width}}", *others]).rstrip()


def as_latex(table: Table) -> str:
    r"""A `tabular` with booktabs' rules, in a `table` with caption and label."""
    columns = "".join("r" if table.numeric(at) else "l" for at in range(len(table.columns)))
    lines = [[_latex(heading) for heading in table.columns]]
    lines += [[_latex(shown(cell)) for cell in row] for row in table.rows]
    head, *rows = (" & ".join(line) + r" \\" for line in lines)
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_latex(table.title)}}}",
            f"  \\label{{tab:{table.name}}}",
            f"  \\begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            f"    {head}",
            r"    \midrule",
            *(f"    {row}" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def as_markdown(table: Table) -> str:
    """A Markdown table under its title."""
    rows = [dict(zip(table.columns, map(shown, row), strict=True)) for row in table.rows]
    return f"{escaped(table.title)}\n\n{markdown(rows)}" if rows else f"{escaped(table.title)}\n"


def table_csv(table: Table) -> str:
    """Comma-separated, numbers at full precision."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([cell.value if isinstance(cell, Number) else cell for cell in row])
    return stream.getvalue()


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of equal columns as a Markdown table, cells as text: names may come from outside."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    cells = [[escaped(cell) for cell in line] for line in lines]
    cells.insert(1, ["---"] * len(rows[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in _plain(text))


def escaped(text: str) -> str:
    """Text of any origin as text of Markdown, on one line."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\|`]|(?<=\])\()", r"\\\1", plain)
