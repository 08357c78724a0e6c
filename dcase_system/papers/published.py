"""How a published table or figure is kept: its rows as printed, and what regenerates it here."""

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
        paper: short name of the paper.
        name: of the table or figure, as the paper numbers it.
        title: what it shows, in our words.
        corpus: what its numbers were measured on.
        columns: names, with units.
        rows: as printed, in the paper's order; None where the paper prints nothing. Empty for a
            figure of which no numbers are printed.
        command: regenerates it.
        needs: what the command needs beside the package.
        hours: what it takes, and on which machine; says so where that was not measured.
        results: places in the run directory that hold our version: a file, or a file and a JSON
            pointer, such as `results.json#/table1`; none for what the command prints.
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
        """The one row that has these values in these columns.

        Raises:
            KeyError: there is none, or more than one.
        """
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        found = [row for row in rows if all(row[name] == value for name, value in values.items())]
        if len(found) != 1:
            raise KeyError(f"{self.paper}, {self.name}: {len(found)} rows with {values}")
        return found[0]


def found_in(run_dir: Path, result: str) -> bool:
    """Whether a run directory holds a place that `Published.results` names.

    Args:
        run_dir: of the run.
        result: a file, or a file and a JSON pointer to something that is not empty.
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
