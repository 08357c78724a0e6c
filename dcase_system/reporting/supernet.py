"""The page of a supernet's run: the paper's tables and figures, and how everything was trained."""

import re
from collections.abc import Iterator
from pathlib import Path

from dcase_system.reporting.content import Block, Document, Note, Page, Table, Verdict, section
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.listings import Column, listed
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.search_figures import (
    MILLIONTH,
    PERCENT,
    best_by_budget,
    own_against_inherited,
    size_front,
)
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.training_figures import overlaid

_BUDGET = Column("budget %", ("budget",), "g", PERCENT)
_TABLE1 = (
    _BUDGET,
    Column("uniform: parameters", ("uniform_params",), ","),
    Column("alone, labels", ("baseline",), ".1f", PERCENT),
    Column("alone, teacher", ("kd",), ".1f", PERCENT),
    Column("sub-network: parameters", ("ofa_params",), ","),
    Column("moving statistics", ("ofa_not_recalibrated",), ".1f", PERCENT),
    Column("recalibrated", ("ofa",), ".1f", PERCENT),
)
_SUB_NETWORK = (
    Column("sub-network", ("spec",)),
    Column("parameters", ("params",), ","),
    Column("MMACs", ("macs",), ".1f", MILLIONTH),
)
_SCORED = (
    *_SUB_NETWORK,
    Column("mAP %", ("score",), ".1f", PERCENT),
    Column("front", ("on_front",), words={True: "front", False: ""}),
)
_RANKED = (
    *_SUB_NETWORK,
    Column("inherited weights", ("score",), ".1f", PERCENT),
    Column("trained alone", ("alone",), ".1f", PERCENT),
)
# What the names of the trainings begin with; `supernet.experiment` gives them.
_TRAININGS = {
    "teacher": "the teacher",
    "supernet": "the supernet of each space",
    "baseline": "uniform networks alone, labels, by budget",
    "kd": "uniform networks alone, teacher, by budget",
    "tuned": "tuned sub-networks, by budget and epochs",
    "init": "sub-networks from random weights, by budget and epochs",
    "alone": "sub-networks trained alone, by parameters",
}


def supernet_page(run_dir: Path) -> Page:
    """The page of a supernet's run: tables, searches, ranking, trainings, origin."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    spaces = " and ".join(f"[{pattern}]" for pattern in config.texts("settings", "patterns"))
    return Page(
        title=f"Supernet on {spaces}",
        summary=f"Run {run_dir.resolve().name}; mAP is mean average precision over the classes.",
        verdicts=list(_verdicts(results)),
        sections=[
            section("Results", [*warnings(config), *_tables(results)]),
            section("Search", _search(results)),
            section("Ranking", _ranking(config, results)),
            section("Training", _training(run_dir)),
            section("Origin", provenance(config)),
        ],
    )


def summary(run_dir: Path) -> str:
    """For a terminal: the teacher, the paper's two tables, and the ranking."""
    results = read_document(run_dir, "results.json")
    tables = [_teacher(results), *_paper_tables(results), _agreement(results)]
    return "\n\n".join(as_text(table) for table in tables if table)


def _verdicts(results: Document) -> Iterator[Verdict]:
    teacher = results.number("teacher", scale=PERCENT)
    largest = results.number("largest_params", spec=",")
    yield Verdict("teacher: mAP on the test clips, %", teacher)
    yield Verdict("largest sub-network, parameters", largest)
    for at, _ in results.entries("table1"):
        budget = _BUDGET.cell(results, "table1", at)
        found = results.number("table1", at, "ofa", scale=PERCENT)
        alone = results.number("table1", at, "baseline", scale=PERCENT)
        remark = f"a network of its size alone: {alone}" if alone else ""
        yield Verdict(f"sub-network at {budget} % of the parameters: mAP, %", found, remark=remark)


def _teacher(results: Document) -> Table:
    return Table(
        "teacher",
        "The teacher and the largest sub-network",
        ("what", "value"),
        [
            ("teacher: mAP on the test clips, %", results.number("teacher", scale=PERCENT)),
            (
                "classes of the test clips without a positive one",
                results.number("classes_without_positive", spec=","),
            ),
            ("largest sub-network, parameters", results.number("largest_params", spec=",")),
        ],
    )


def _paper_tables(results: Document) -> list[Table]:
    trained = dict.fromkeys(
        name for at, _ in results.entries("table2") for name in results.names("table2", at)
    )
    columns = [
        Column(_heading(name), (name,), ".1f", PERCENT)
        for name in trained
        if name not in ("budget", "params")
    ]
    title1 = "Table 1: trained alone, and best of the random search; test mAP in %"
    title2 = "Table 2: the sub-network tuned, and from random weights; test mAP in %"
    tables = [
        listed(results, ("table1",), "table1", title1, _TABLE1, across=True),
        listed(
            results,
            ("table2",),
            "table2",
            title2,
            (_BUDGET, Column("parameters", ("params",), ","), *columns),
            across=True,
        ),
    ]
    return [table for table in tables if table]


def _heading(name: str) -> str:
    """Of a column that is named by how long was trained, such as `tuned_8`."""
    how, _, epochs = name.partition("_")
    words = {"tuned": "tuned", "init": "random weights"}
    return f"{words[how]}, {epochs} epochs" if how in words and epochs else name


def _tables(results: Document) -> Iterator[Block | None]:
    tables = _paper_tables(results)
    if not tables:
        yield missing(results, "scores")
        return
    yield from (*tables, _teacher(results))


def _search(results: Document) -> Iterator[Block | None]:
    yield Note(
        "Scores are mAP on the validation clips, which was searched on. A sub-network is named by "
        "the width ratios of the layers that it keeps, block by block. Point at a mark to see it."
    )
    yield best_by_budget(results) or missing(results, "best of the spaces")
    yield size_front(results) or missing(results, "list of what was scored")
    title = "Every sub-network of the first space that was scored"
    table = listed(results, ("all_scored",), "scored", title, _SCORED, long=True)
    yield table


def _agreement(results: Document) -> Table | None:
    tau = results.number("ranking", "kendall_tau", spec=".2f")
    if not tau:
        return None
    p = results.number("ranking", "p_value", spec=".3f")
    title = "Whether inherited weights rank sub-networks as their own do"
    rows = [("Kendall's tau", tau), ("p", p)]
    return Table("agreement", title, ("what", "value"), rows)


def _ranking(config: Document, results: Document) -> Iterator[Block | None]:
    ranked = config.number("settings", "ranked")
    if ranked and ranked.value < 2:
        yield Note("Not asked for (--ranked): no sub-networks were trained alone.")
        return
    agreement = _agreement(results)
    yield agreement or missing(results, "ranking")
    picture = own_against_inherited(results)
    yield picture
    title = "The same sub-networks twice; mAP on the validation clips in %"
    table = listed(results, ("ranking", "rows"), "ranked", title, _RANKED, across=True)
    yield table


def _training(run_dir: Path) -> Iterator[Block | None]:
    """A figure for each kind of training that has logged something."""
    kinds: dict[str, dict[str, Document]] = {name: {} for name in _TRAININGS}
    for path in sorted((run_dir / "metrics").glob("*.jsonl"), key=_by_numbers):
        kind, _, which = path.stem.partition("_")
        log = read_document(run_dir, f"metrics/{path.name}")
        kinds.setdefault(kind, {})[which.replace("_", ", ") or kind] = log
    without = []
    for index, (kind, logs) in enumerate(kinds.items()):
        title = f"Loss of {_TRAININGS.get(kind, kind)}"
        picture = overlaid(logs, f"loss_{index}", title)
        yield picture
        without += [] if picture else [_TRAININGS.get(kind, kind)]
    if without:
        yield Note(f"Without a log in metrics/: {'; '.join(without)}.")


def _by_numbers(path: Path) -> list[str | float]:
    """Order of names: what is a number in them counts as one."""
    parts = re.split(r"(\d+(?:\.\d+)?)", path.stem)
    return [float(part) if at % 2 else part for at, part in enumerate(parts)]
