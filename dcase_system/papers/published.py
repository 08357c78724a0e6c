"""Format of a published table or figure: its rows as printed, and how to regenerate it here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Value = str | int | float | None


@dataclass(frozen=True)
class Published:
    """One table or figure of a paper.

    Attributes:
        paper: Short name of the paper.
        name: Name of the table or figure, as numbered in the paper.
        title: What it shows, in our words.
        corpus: Corpus on which its numbers were measured.
        columns: Column names, with units.
        rows: Rows as printed, in the paper's order; None where the paper prints nothing. Empty for
            a figure without printed numbers.
        command: Command that regenerates it.
        needs: Requirements of the command besides the package.
        hours: Duration and machine, or a note that it was not measured.
        results: Locations of our version in the run directory: a file, or a file and a JSON
            pointer, such as `results.json#/table1`; empty if the command prints it.
    """

    paper: Literal["SSCP-Mobile", "OFA-AEC", "Scene search"]
    name: str
    title: str
    corpus: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    command: str
    needs: str
    hours: str
    results: Sequence[str]

    def row(self, **values: Value) -> Mapping[str, Value]:
        """Returns the only row with these values in these columns.

        Raises:
            KeyError: There is no such row, or more than one.
        """
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        found = [row for row in rows if all(row[name] == value for name, value in values.items())]
        if len(found) != 1:
            raise KeyError(f"{self.paper}, {self.name}: {len(found)} rows with {values}")
        return found[0]


def found_in(run_dir: Path, result: str) -> bool:
    """Whether a run directory contains a location listed in `Published.results`.

    Args:
        run_dir: Run directory.
        result: A file, or a file and a JSON pointer to a non-empty value.
    """
    name, _, pointer = result.partition("#")
    path = run_dir / name
    if not pointer or not path.is_file():
        return path.is_file()
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    for key in pointer.strip("/").split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return bool(value)
