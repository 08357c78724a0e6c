"""A table as text: for a terminal, Markdown, LaTeX, a spreadsheet."""

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence

from dcase_system.reporting.content import NOTHING, Cell, Number, Table

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

    Columns whose headings are long share lines by words; a cell that is too long for 80 columns is
    cut, with a mark.
    """
    rows = [[_plain(shown(cell)) for cell in row] for row in table.rows]
    words = [column.split() for column in table.columns]
    widths = [
        max((len(text) for text in (*heading, *(row[at] for row in rows))), default=0)
        for at, heading in enumerate(words)
    ]
    widths[0] = max(1, min(widths[0], COLUMNS - sum(widths[1:]) - 2 * (len(widths) - 1)))
    heads = [_filled(column, width) for column, width in zip(table.columns, widths, strict=True)]
    height = max(map(len, heads))
    lines = [
        [head[line - height + len(head)] if line >= height - len(head) else "" for head in heads]
        for line in range(height)
    ]
    return "\n".join([table.title, *(_line(line, widths) for line in [*lines, *rows])])


def _filled(heading: str, width: int) -> list[str]:
    lines: list[str] = [""]
    for word in heading.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, width = cells[0], widths[0]
    first = first if len(first) <= width else first[: width - 1] + "…"
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
    return f"{_cell(table.title)}\n\n{markdown(rows)}" if rows else f"{_cell(table.title)}\n"


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
    shown = [[_cell(cell) for cell in line] for line in lines]
    shown.insert(1, ["---"] * len(rows[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in shown)


def _plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in _plain(text))


def _cell(text: str) -> str:
    escaped = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\|`]|(?<=\])\()", r"\\\1", escaped)
