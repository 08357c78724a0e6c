"""The page of a comparison: runs side by side, and how far they differ."""

from collections.abc import Iterator, Sequence
from typing import Any

from dcase_system.reporting.content import Block, Document, Note, Page, Section, Table
from dcase_system.reporting.result_figures import intervals

# What `sparsity.json` says of a run.
SIZES = ("sparsity", "float16_bytes", "nonzero_float16_bytes", "zipped_float16_bytes")
_WORDS: dict[Any, str] = {True: "complies", False: "OVER"}


def comparison_page(document: Document) -> Page:
    """The page of a `comparison.json`."""
    names = [str(run.get("run")) for run in document.rows("runs")]
    return Page(
        title=f"{len(names)} runs side by side",
        summary=", ".join(names),
        verdicts=[],
        sections=[
            Section("Results", list(_results(document, names))),
            Section("Differences", list(_differences(document))),
        ],
    )


def results_table(document: Document) -> Table:
    """Each run's figures and costs; columns that no run has are left out."""
    columns: dict[str, tuple[str, str, float]] = {
        "accuracy %": ("accuracy", ".1f", 1.0),
        "from": ("low", ".1f", 1.0),
        "to": ("high", ".1f", 1.0),
        "mAP %": ("map", ".1f", 100.0),
        "log loss": ("logloss", ".3f", 1.0),
        "parameters": ("params", ",", 1.0),
        "MMACs": ("macs", ".2f", 1e-6),
    }
    runs = document.rows("runs")
    found = {
        heading: [document.number("runs", at, key, spec=s, scale=m) for at in range(len(runs))]
        for heading, (key, s, m) in columns.items()
    }
    kept = {heading: cells for heading, cells in found.items() if any(cells)}
    return Table(
        "comparison",
        "On the test clips, with 95 % intervals, and cost",
        ("run", *kept, "limits of 2024"),
        [
            (
                str(run.get("run")),
                *(cells[at] for cells in kept.values()),
                _WORDS.get(run.get("complies")),
            )
            for at, run in enumerate(runs)
        ],
    )


def _results(document: Document, names: Sequence[str]) -> Iterator[Block]:
    keys = ("accuracy", "low", "high")
    rows = [
        (name, *(document.number("runs", at, key) for key in keys)) for at, name in enumerate(names)
    ]
    figure = intervals("accuracy", "Macro accuracy with 95 % intervals", rows)
    yield from [figure] if figure else []
    yield results_table(document)
    if any(row.get("sparsity") for row in document.rows("runs")):
        yield sizes_table(document)


def sizes_table(document: Document) -> Table:
    """Zeros, sizes, and what the rules of 2021 and 2024 count."""
    specs = dict.fromkeys(SIZES, (",", 1.0)) | {"sparsity": (".1f", 100.0)}
    return Table(
        "sizes",
        "Parameters at float16: zeros, bytes, and the limits of 2021 (not zero) and 2024 (all)",
        ("run", "zeros %", "bytes", "not zero", "zipped", "2021", "2024"),
        [
            (
                str(run.get("run")),
                *(document.number("runs", at, k, spec=s, scale=m) for k, (s, m) in specs.items()),
                _WORDS.get(run.get("complies_2021")),
                _WORDS.get(run.get("complies")),
            )
            for at, run in enumerate(document.rows("runs"))
        ],
    )


def _differences(document: Document) -> Iterator[Block]:
    """Words on how to read them, the runs that are not paired, and the table."""
    yield Note(
        "To the first run, in points of macro accuracy. The intervals are paired: both runs are "
        "scored on the same recordings, drawn anew. One that holds no zero is a difference that "
        "other recordings would most likely show as well; one seed each says nothing of others."
    )
    rows = document.rows("differences")
    for row in rows:
        if row.get("fault"):
            yield Note(f"{row.get('run')}: not paired, {row['fault']}.")
    if any(not row.get("fault") for row in rows):
        yield differences_table(document)


def differences_table(document: Document) -> Table:
    """How far each run that could be paired is from the first one."""
    columns = ("run", "difference", "from", "to", "right in the first only", "in this only")
    specs = {
        "difference": "+.1f",
        "low": "+.1f",
        "high": "+.1f",
        "only_first": ",",
        "only_this": ",",
    }
    return Table(
        "differences",
        "Difference to the first run, points of macro accuracy; clips right in one only",
        columns,
        [
            (
                str(row.get("run")),
                *(document.number("differences", at, key, spec=s) for key, s in specs.items()),
            )
            for at, row in enumerate(document.rows("differences"))
            if not row.get("fault")
        ],
    )
