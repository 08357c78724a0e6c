"""The tables of a supernet's run, with the paper's rows beside ours (Lin et al.)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dcase_system.papers import ofa_aec
from dcase_system.papers.published import Published, Value
from dcase_system.reporting.content import Table
from dcase_system.reporting.documents import read_document
from dcase_system.reporting.json_tables import Column, listed
from dcase_system.reporting.numbers import MARK, Cell, Document, Printed, is_number
from dcase_system.reporting.search_figures import MILLIONTH, PERCENT

_BUDGET = Column("budget", ("constraint",))
_PARAMS = Column("parameters", ("params",), ",")
_MACS = Column("MMACs", ("macs",), ".1f", MILLIONTH)
_TABLE1 = (
    _PARAMS,
    Column("%", ("params_share",), ".1f", PERCENT),
    Column("mAP", ("map",), ".1f", PERCENT),
    Column("%", ("map_share",), ".1f", PERCENT),
)
_MODELS = {"teacher": "CNN10 (B = 64)", "baseline": "Baseline", "kd": "KD", "ofa": "OFA"}
_SUB_NETWORK = (Column("sub-network", ("spec",)), _PARAMS, _MACS)
_CHOSEN = (
    _BUDGET,
    Column("from", ("low",), ",.0f"),
    Column("to", ("high",), ",.0f"),
    *_SUB_NETWORK,
    Column("validation mAP %", ("score",), ".1f", PERCENT),
    Column("test mAP %", ("map",), ".1f", PERCENT),
    Column("the same with moving statistics", ("map_not_recalibrated",), ".1f", PERCENT),
)
_FIGURE4 = (
    Column("search space", ("space",)),
    _BUDGET,
    Column("mean mAP %", ("mean",), ".1f", PERCENT),
    Column("deviation", ("deviation",), ".2f", PERCENT),
    Column("n", ("n",), ","),
)
_FILES = (
    Column("file", ("file",)),
    Column("bytes", ("bytes",), ","),
    Column("bytes with front end", ("waveform_bytes",), ","),
    Column("mAP %", ("map",), ".1f", PERCENT),
)
_SCORED = (
    Column("search space", ("space",)),
    Column("search", ("search",)),
    *_SUB_NETWORK,
    Column("mAP %", ("score",), ".1f", PERCENT),
    Column("front", ("on_front",), words={True: "front", False: ""}),
)
_RANKED = (
    *_SUB_NETWORK,
    Column("inherited weights", ("score",), ".1f", PERCENT),
    Column("trained alone", ("alone",), ".1f", PERCENT),
)


def printed(value: Value) -> Printed | None:
    """Marks a published value; None if nothing is published."""
    return None if value is None else Printed(value)


def table1(results: Document) -> Table | None:
    """Builds Table 1: networks trained alone and sub-networks by size, beside published rows."""
    entries = results.entries("table1", numbers=("params",))
    if not entries:
        return None
    columns = ofa_aec.TABLE1.columns[1:]
    rows: list[list[Cell]] = []
    for name in ("AST", "SSAST", "CNN10 (B = 32)"):
        published = ofa_aec.TABLE1.row(model=name)
        rows.append([name, *[None] * len(_TABLE1), *(printed(published[one]) for one in columns)])
    for at, row in entries:
        published = _of_table1(row)
        ours = [column.cell(results, "table1", at) for column in _TABLE1]
        rows.append([_model(row), *ours, *(printed(published.get(one)) for one in columns)])
    headings = [column.heading for column in _TABLE1]
    headings += [f"{MARK} {heading}" for heading in ("M", "%", "mAP", "%")]
    title = f"Table 1: mAP on the test clips, and shares of the teacher's, in %. {_legend(results)}"
    return Table("table1", title, ["model", *headings], rows, across=True)


def improvement(results: Document) -> Table | None:
    """Builds the sub-networks' improvement relative to networks trained alone."""
    published = {ofa_aec.CONSTRAINTS_MILLIONS[0]: ofa_aec.RELATIVE_IMPROVEMENT}
    rows: list[list[Cell]] = []
    for at, row in results.entries("chosen"):
        ours = [
            results.number("chosen", at, key, spec="+.1f", scale=PERCENT)
            for key in ("over_baseline", "over_kd")
        ]
        theirs = published.get(_number(row.get("published")), {})
        rows.append(
            [
                str(row.get("constraint")),
                *ours,
                *(printed(theirs.get(one)) for one in ("Baseline", "KD")),
            ]
        )
    title = f"Relative improvement of the sub-networks, in %. {_legend(results)}"
    heads = ("over Baseline", "over KD")
    headings = ["budget", *heads, *(f"{MARK} {one}" for one in heads)]
    return Table("improvement", title, headings, rows) if rows else None


def table2(results: Document) -> Table | None:
    """Builds Table 2: fine-tuned and randomly initialized sub-networks, beside published rows."""
    shorter, longer = (_steps(results, at) for at in (0, 1))
    columns = (
        _PARAMS,
        Column("OFA", ("ofa",), ".1f", PERCENT),
        Column(shorter, ("tuned_short",), ".1f", PERCENT),
        Column(longer, ("tuned_long",), ".1f", PERCENT),
        Column(f"Init {longer}", ("init_long",), ".1f", PERCENT),
    )
    headings = ("M", "OFA", "+10K", "+100K", "Init +100K")
    title = f"Table 2: mAP on the test clips in %, by fine-tuning steps. {_legend(results)}"
    return _beside(results, "table2", title, (_BUDGET, *columns), ofa_aec.TABLE2, headings)


def figure3_points(results: Document) -> Table | None:
    """Builds the points of Figure 3, with those that the paper publishes as numbers."""
    columns = (
        Column("search space", ("space",)),
        Column("search", ("search",)),
        *(_BUDGET, _PARAMS, _MACS),
        Column("validation mAP %", ("score",), ".1f", PERCENT),
        Column("test mAP %", ("map",), ".1f", PERCENT),
    )
    title = f"Figure 3: the best of each search space. {_legend(results)}"
    return _beside(results, "figure3", title, columns, ofa_aec.FIGURE3, ("M", "mAP"))


def chosen(results: Document) -> Table | None:
    """Builds the table of chosen sub-networks and their search windows."""
    title = "The best of the random search in the first space, for each window of parameters"
    return listed(results, ("chosen",), "chosen", title, _CHOSEN, across=True)


def figure4_spread(results: Document) -> Table | None:
    """Builds mean, deviation and number of the scores in each box of Figure 4."""
    title = "Figure 4: mAP of the random draws on the validation clips, in %"
    return listed(results, ("figure4",), "spread", title, _FIGURE4)


def files(results: Document) -> Table | None:
    """Builds the table of the chosen sub-networks' `.tflite` files and their scores."""
    title = "Files for devices: bytes, with and without the front end; mAP on the test clips"
    return listed(results, ("files",), "files", title, _FILES)


def complexity(run_dir: Path, results: Document) -> Table | None:
    """Builds the chosen sub-networks' costs from their complexity reports."""
    rows: list[list[Cell]] = []
    for row in results.rows("chosen"):
        name = str(row.get("constraint"))
        report = read_document(run_dir, f"edge_{name}/complexity.json")
        macs = report.number("macs", spec=".1f", scale=MILLIONTH)
        sizes = (report.number("bytes", one, spec=",") for one in ("float32", "float16", "int8"))
        rows.append([name, report.number("params", spec=","), macs, *sizes])
    title = "Complexity of the chosen sub-networks; bytes of the parameters by precision"
    headings = ["budget", "parameters", "MMACs", "float32", "float16", "int8"]
    return Table("complexity", title, headings, rows) if rows else None


def all_scored(results: Document) -> Table | None:
    """Builds the table of every sub-network scored in a search."""
    title = "Every sub-network that a search has scored, on the validation clips"
    return listed(results, ("all_scored",), "scored", title, _SCORED, long=True)


def ranked(results: Document) -> Table | None:
    """Builds the table of sub-networks that were also trained alone."""
    title = "The same sub-networks twice; mAP on the validation clips in %"
    return listed(results, ("ranking", "rows"), "ranked", title, _RANKED, across=True)


def _beside(
    results: Document,
    key: str,
    title: str,
    columns: Sequence[Column],
    published: Published,
    headings: Sequence[str],
) -> Table | None:
    """Builds a table of our list, with the published last columns for the same constraints."""
    names, rows = published.columns[-len(headings) :], []
    for at, row in results.entries(key):
        theirs = _row(published, row)
        ours = [column.cell(results, key, at) for column in columns]
        rows.append([*ours, *(printed(theirs.get(name)) for name in names)])
    heads = [column.heading for column in columns] + [f"{MARK} {one}" for one in headings]
    return Table(key, title, heads, rows, across=True) if rows else None


def _row(published: Published, row: Mapping[str, Any]) -> Mapping[str, Value]:
    """Returns the published row for a constraint; empty if there is none."""
    if row.get("search", "random") != "random":
        return {}
    constraint = _number(row.get("published"))
    if published is ofa_aec.FIGURE3:
        space = str(row.get("space"))
        return _published(published, {"curve": space, "constraint, M": constraint})
    return _published(published, {"parameters, M": ofa_aec.FOUND_MILLIONS.get(constraint)})


def _of_table1(row: Mapping[str, Any]) -> Mapping[str, Value]:
    """Returns the published row for one of ours; empty if there is none."""
    model, of_row = str(row.get("model")), row.get("published")
    sizes = ofa_aec.FOUND_MILLIONS if model == "ofa" else ofa_aec.ALONE_MILLIONS
    wanted = [sizes.get(_number(one)) for one in of_row] if isinstance(of_row, list) else []
    if model == "teacher":
        wanted = [ofa_aec.TEACHER_PARAMS_MILLIONS]
    for size in wanted:
        found = _published(ofa_aec.TABLE1, {"model": _MODELS.get(model), "parameters, M": size})
        if found:
            return found
    return {}


def _published(published: Published, values: Mapping[str, Value]) -> Mapping[str, Value]:
    try:
        return published.row(**values)
    except KeyError:
        return {}


def _model(row: Mapping[str, Any]) -> str:
    """Returns the name of a row of Table 1."""
    model = str(row.get("model"))
    if model == "ofa":
        return f"OFA, {row.get('constraint')}"
    return {"teacher": "CNN10, teacher", "baseline": "Baseline", "kd": "KD"}.get(model, model)


def _legend(results: Document) -> str:
    """Explains which numbers are ours and which are published."""
    corpus = results.get("corpus") or "clips that are not named"
    return f"Ours: {corpus}; {MARK} published, {ofa_aec.CORPUS}."


def _steps(results: Document, at: int) -> str:
    """Returns the fine-tuning steps as the paper writes them."""
    steps = results.number("tuning_steps", at)
    if steps is None:
        return f"tuned {('shorter', 'longer')[at]}"
    whole = steps.value % 1_000 == 0
    return f"+{steps.value / 1_000:g}K" if whole else f"+{steps.value:g}"


def _number(value: Any) -> Any:
    """Returns the value, or None if it is not a number: files may contain anything."""
    return value if is_number(value) else None
