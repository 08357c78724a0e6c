"""The page of a comparison: runs side by side, and their differences."""

from collections.abc import Iterator

from dcase_system.reporting.content import Block, Note, Page, section
from dcase_system.reporting.json_tables import Column, listed
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.result_figures import intervals

# Keys of `sparsity.json`.
SIZES = ("sparsity", "float16_bytes", "nonzero_float16_bytes", "zipped_float16_bytes")
_WORDS = {True: "complies", False: "OVER"}
_RUN = Column("run", ("run",))
_LIMITS = Column("limits of 2024", ("complies",), words=_WORDS)
_RESULTS = (
    Column("accuracy %", ("accuracy",), ".1f"),
    Column("from", ("low",), ".1f"),
    Column("to", ("high",), ".1f"),
    Column("chance %", ("chance",), ".1f"),
    Column("mAP %", ("map",), ".1f", 100.0),
    Column("log loss", ("logloss",), ".3f"),
    Column("parameters", ("params",), ","),
    Column("MMACs", ("macs",), ".2f", 1e-6),
)
_ZEROS = (
    _RUN,
    Column("zeros %", ("sparsity",), ".1f", 100.0),
    *(
        Column(heading, (key,), ",")
        for heading, key in zip(("all", "not zero", "zipped"), SIZES[1:], strict=True)
    ),
    Column("limit of 2021", ("complies_2021",), words=_WORDS),
    _LIMITS,
)
_DIFFERENCES = (
    _RUN,
    Column("difference", ("difference",), "+.1f"),
    Column("from", ("low",), "+.1f"),
    Column("to", ("high",), "+.1f"),
    Column("correct in the first only", ("only_first",), ","),
    Column("in this only", ("only_this",), ","),
)
_HOW_TO_READ = (
    "Differences to the first run, in points of macro accuracy. The intervals are paired: both "
    "runs are scored on the same resampled recordings. If an interval excludes zero, other "
    "recordings would most likely show the difference too. Other seeds may give other results."
)


def comparison_page(document: Document) -> Page:
    """The page of a `comparison.json`."""
    names = [str(run.get("run")) for run in document.rows("runs")]
    return Page(
        title=f"{len(names)} runs side by side",
        summary=", ".join(names),
        verdicts=[],
        sections=[
            section("Results", _results(document)),
            section("Differences", _differences(document)),
        ],
    )


def _results(document: Document) -> Iterator[Block | None]:
    runs = document.entries("runs")
    accuracies = [
        (str(run.get("run")), *(column.cell(document, "runs", at) for column in _RESULTS[:3]))
        for at, run in runs
    ]
    # Leave out columns that are empty for all runs.
    columns = [x for x in _RESULTS if any(x.cell(document, "runs", at) for at, _ in runs)]
    title = "On the test clips, with 95 % intervals, and cost"
    yield intervals("accuracy", "Macro accuracy with 95 % intervals", accuracies)
    runs_columns = [_RUN, *columns, _LIMITS]
    yield listed(document, ("runs",), "comparison", title, runs_columns, across=True)
    if any(row.get("sparsity") for _, row in runs):
        title = (
            "Bytes of the parameters at float16; the limit of 2021 counts non-zero parameters only"
        )
        yield listed(document, ("runs",), "sizes", title, _ZEROS)


def _differences(document: Document) -> Iterator[Block | None]:
    """Yields how to read the differences, the runs that are not paired, and the table."""
    yield Note(_HOW_TO_READ)
    for row in document.rows("not_paired"):
        yield Note(f"{row.get('run')}: not paired, {row.get('fault')}.")
    title = "Difference to the first run, points of macro accuracy; clips correct in one run only"
    yield listed(document, ("differences",), "differences", title, _DIFFERENCES)
