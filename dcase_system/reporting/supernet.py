"""The page of a supernet's run: the paper's tables and figures, and all trainings."""

import re
from collections.abc import Iterator
from pathlib import Path

from dcase_system.reporting import supernet_tables as tables
from dcase_system.reporting.content import Block, Note, Page, Table, Verdict, section
from dcase_system.reporting.derived import chance_precision_of, interval_of, joined
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.search_figures import PERCENT
from dcase_system.reporting.supernet_figures import (
    every_sub_network,
    figure3,
    figure4,
    own_against_inherited,
)
from dcase_system.reporting.tables import as_text, note_text
from dcase_system.reporting.training_figures import overlaid

# Prefixes of training names, from `supernet.experiment`.
_TRAININGS = {
    "teacher": "the teacher",
    "supernet": "the supernet of each space",
    "baseline": "Baseline: networks trained alone with labels, by width ratio and depth",
    "kd": "KD: networks trained alone with the teacher, by width ratio and depth",
    "tuned": "fine-tuned sub-networks, by budget and steps",
    "init": "sub-networks from random weights, by budget and steps",
    "alone": "sub-networks trained alone, by parameters",
}


def supernet_page(run_dir: Path) -> Page:
    """Builds the page of a supernet's run: tables, searches, files, ranking, trainings, origin."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    patterns = config.texts("settings", "patterns")
    spaces = ", ".join("EW-only" if one == "none" else f"[{one}]" for one in patterns)
    return Page(
        title=f"Supernet on {spaces}",
        summary=f"Run {run_dir.resolve().name}; mAP is mean average precision over the classes.",
        verdicts=list(_verdicts(results)),
        sections=[
            section("Results", [*warnings(config), *_results(results)]),
            section("Search", _search(results)),
            section("Devices", _devices(run_dir, results)),
            section("Ranking", _ranking(config, results)),
            section("Training", _training(run_dir)),
            section("Origin", provenance(config)),
        ],
    )


def summary(run_dir: Path) -> str:
    """Summarizes for a terminal the paper's tables and figures, the files and the ranking."""
    results = read_document(run_dir, "results.json")
    shown = [
        tables.table1(results),
        tables.improvement(results),
        tables.table2(results),
        tables.figure4_spread(results),
        tables.files(results),
        _agreement(results),
    ]
    texts = [as_text(table) for table in shown if table]
    return "\n\n".join(texts or [note_text(missing(results, "scores"))])


def _verdicts(results: Document) -> Iterator[Verdict]:
    teacher = results.number("teacher", scale=PERCENT)
    largest = results.number("largest_params", spec=",")
    chance = chance_precision_of(results, "chance")
    yield Verdict("teacher: mAP on the test clips, %", teacher, remark=chance)
    yield Verdict("largest sub-network, parameters", largest)
    for at, row in results.entries("chosen"):
        found = results.number("chosen", at, "map", scale=PERCENT)
        params = results.number("chosen", at, "params", spec=",")
        interval = interval_of(results, "chosen", at, "interval_95", scale=PERCENT)
        remark = joined([params, " parameters"] if params else "", interval)
        yield Verdict(f"sub-network for {row.get('constraint')}: mAP, %", found, remark=remark)


def _results(results: Document) -> Iterator[Block | None]:
    shown = [tables.table1(results), tables.improvement(results), tables.table2(results)]
    if not any(shown):
        yield missing(results, "scores")
        return
    yield from shown
    if any(row.get("interval_95") for row in results.rows("chosen")):
        yield Note(
            "The 95 % intervals above resample test clips. Clips that share a recording, such as "
            "mixtures, are not independent: for them the intervals are too narrow."
        )
    without = results.number("classes_without_positive", spec=",")
    if without and without.value:
        yield Note(f"Classes without a positive test clip, which mAP leaves out: {without}.")


def _search(results: Document) -> Iterator[Block | None]:
    yield Note(
        "Searches only use the validation clips. The name of a sub-network lists the width ratios "
        "of the layers that it keeps, block by block: point at a mark, or open "
        "“Values” below the figure."
    )
    yield tables.chosen(results)
    yield figure3(results) or missing(results, "best of the spaces")
    yield tables.figure3_points(results)
    yield figure4(results) or missing(results, "list of the random draws")
    yield Note(
        "A box shows the random draws of one space within one window of parameters, from the first "
        "to the third quartile. The solid line is the mean, the dotted one the median."
    )
    yield tables.figure4_spread(results)
    yield every_sub_network(results)
    yield tables.all_scored(results)


def _devices(run_dir: Path, results: Document) -> Iterator[Block | None]:
    yield tables.files(results) or missing(results, "list of the files for devices")
    yield tables.complexity(run_dir, results)


def _agreement(results: Document) -> Table | None:
    tau = results.number("ranking", "kendall_tau", spec=".2f")
    if not tau:
        return None
    p = results.number("ranking", "p_value", spec=".3f")
    title = "Rank agreement of sub-networks with inherited weights and with their own"
    rows = [("Kendall's tau", tau), ("p", p)]
    return Table("agreement", title, ("what", "value"), rows)


def _ranking(config: Document, results: Document) -> Iterator[Block | None]:
    ranked = config.number("settings", "ranked")
    if ranked and ranked.value < 2:
        yield Note("Not requested (--ranked): no sub-networks were trained alone.")
        return
    agreement = _agreement(results)
    yield agreement or missing(results, "ranking")
    picture = own_against_inherited(results)
    yield picture
    yield tables.ranked(results)


def _training(run_dir: Path) -> Iterator[Block | None]:
    """Yields a figure for each kind of training with a log."""
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
        yield Note(f"No log in metrics/: {'; '.join(without)}.")


def _by_numbers(path: Path) -> list[str | float]:
    """Returns a key that sorts numbers in names by value."""
    parts = re.split(r"(\d+(?:\.\d+)?)", path.stem)
    return [float(part) if at % 2 else part for at, part in enumerate(parts)]
