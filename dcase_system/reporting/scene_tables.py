"""Tables 3 and 4 of the scene search: our results and the published ones, on other clips."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dcase_system.papers import scene_search as paper
from dcase_system.reporting.content import Note, Table
from dcase_system.reporting.derived import chance_sentence, length
from dcase_system.reporting.json_tables import Column, listed
from dcase_system.reporting.numbers import Cell, Document

PUBLISHED_ON = "TAU 2020 3Class"
SUBMITTED = "keras_float16"
ACCURACY = Column("accuracy %", ("clip_accuracy",), ".1f")
MACRO = Column("macro %", ("accuracy",), ".1f")
LOSS = Column("loss", ("loss",), ".3f")
_TAIL = 3  # rows that end every column of Table 3: pooling, dense layer, sigmoid
_TABLE4 = (
    Column("network", ("network",)),
    Column("precision", ("precision",)),
    Column("size MiB", ("mib",), ".2f"),
    ACCURACY,
    MACRO,
    LOSS,
)
# Rows of the paper's Table 4 by the names of architectures; models A and B have two each.
_PUBLISHED_ROWS = {
    "alexnet_modified": "AlexNet (Modified)",
    "mobilenet_v1": "MobileNet V1",
    "mobilenet_v2": "MobileNet V2",
    "shufflenet_v2": "ShuffleNet V2",
}


def on_corpus(results: Document) -> str:
    """Describes, for a title, the corpora of our numbers and the published ones."""
    return f"ours: clips of {results.get('corpus')}; published: {PUBLISHED_ON}"


def table3(
    results: Document, key: str, name_of: Callable[[Mapping[str, Any]], str]
) -> Table | None:
    """Builds Table 3: layers of our networks beside models A and B; None if there are none.

    Args:
        results: `results.json` of a run.
        key: Key of the list of networks.
        name_of: Function that returns a network's column heading.
    """
    columns = {name_of(row): results.texts(key, at, "layers") for at, row in results.entries(key)}
    columns = {name: layers for name, layers in columns.items() if len(layers) > _TAIL}
    if not columns:
        return None
    for model in ("Model A", "Model B"):
        printed = [row[paper.TABLE_3.columns.index(model)] for row in paper.TABLE_3.rows]
        columns[f"published {model}"] = [str(layer) for layer in printed if layer is not None]
    height = max(map(len, columns.values()))
    aligned = [
        [*layers[:-_TAIL], *[None] * (height - len(layers)), *layers[-_TAIL:]]
        for layers in columns.values()
    ]
    rows = [(str(number), *row) for number, row in enumerate(zip(*aligned, strict=True), 1)]
    return Table("table3", "Table 3: layers (output channels)", ("", *columns), rows, across=True)


def table4(results: Document) -> Table | None:
    """Builds Table 4: size and dev-test accuracy beside the published; None if there are none."""
    title = f"Table 4: size and accuracy on the dev-test clips, {on_corpus(results)}"
    table = listed(results, ("table4",), "table4", title, _TABLE4, across=True)
    if table is None:
        return None
    published = [_published_rows(row) for row in results.rows("table4")]
    for heading, column, unit in (("size", "size MB", "MB"), ("accuracy", "accuracy %", "%")):
        cells = [" / ".join(f"{row[column]} {unit}" for row in rows) or None for rows in published]
        table = with_column(table, f"published {heading}", cells)
    return table


def accuracy_intervals(
    results: Document, key: str, name_of: Callable[[Mapping[str, Any]], str]
) -> Table | None:
    """Builds the submitted networks' 95 % intervals; None if none is known.

    Args:
        results: `results.json` of a run.
        key: Key of the list of networks.
        name_of: Function that returns a network's name.
    """
    place = ("scores", SUBMITTED)
    columns = [
        column
        for score in (ACCURACY, MACRO)
        for column in (
            replace(score, keys=(*place, *score.keys)),
            *(
                Column(heading, (*place, "intervals_95", *score.keys, end), ".1f")
                for end, heading in enumerate(("from", "to"))
            ),
        )
    ]
    rows = [
        (name_of(row), *(column.cell(results, key, at) for column in columns))
        for at, row in results.entries(key)
    ]
    if not any(row[2] for row in rows):
        return None
    title = f"95 % intervals on the dev-test clips, resampling whole locations; {SUBMITTED}"
    headings = ("network", *(column.heading for column in columns))
    return Table("intervals", title, headings, rows)


def chance_note(results: Document) -> Note | None:
    """Builds a note with the chance level of both accuracies; None if it is not known."""
    chance = chance_sentence(length(results, "classes"))
    return Note(["Both accuracies: ", *chance, "."]) if chance else None


def with_column(table: Table, heading: str, cells: Sequence[Cell]) -> Table:
    """Adds a column to a table."""
    rows = [(*row, cell) for row, cell in zip(table.rows, cells, strict=True)]
    return replace(table, columns=(*table.columns, heading), rows=rows)


def _published_rows(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns the paper's rows that correspond to ours; two if one network is both A and B."""
    name, precision = str(row.get("network")), str(row.get("precision"))
    if name in _PUBLISHED_ROWS:
        return [paper.TABLE_4.row(model=_PUBLISHED_ROWS[name])]
    # `scene_a`, `scene_a_table3`; networks chosen by a search are called `random A`.
    letters = [one for one in "AB" if f"scene_{one.lower()}" in name or one in name.split(" ")[1:]]
    models = [f"Model {letter} ({precision.replace('float', 'float-')})" for letter in letters]
    known = {str(of_paper[0]) for of_paper in paper.TABLE_4.rows}
    return [paper.TABLE_4.row(model=model) for model in models if model in known]
