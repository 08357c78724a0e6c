"""The page of a comparison of the ways to a small network."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dcase_system.reporting.content import Block, Note, Page, Picture, Table, section
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.json_tables import Column, listed
from dcase_system.reporting.numbers import NOTHING, Cell, Document, Number
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.search_figures import MILLIONTH, Point, Points, scored_points
from dcase_system.reporting.style import nth_series
from dcase_system.reporting.tables import as_text

WAYS: Mapping[str, str] = {
    "dense": "trained alone",
    "pruned": "pruned (AGP)",
    "inherited": "supernet, inherited",
    "tuned": "supernet, tuned",
    "random": "random depthwise CNN",
}
_NETWORKS = (
    Column("MMACs at most", ("budget",), ".4g", MILLIONTH),
    Column("seed", ("seed",), "d"),
    Column("accuracy %", ("accuracy",), ".1f"),
    Column("95 % from", ("interval", 0), ".1f"),
    Column("to", ("interval", 1), ".1f"),
    Column("log loss", ("logloss",), ".3f"),
    Column("parameters", ("params",), ","),
    Column("MMACs", ("macs",), ".2f", MILLIONTH),
    Column("bytes", ("bytes",), ","),
)
_RANKED = (
    Column("sub-network", ("spec",)),
    Column("MMACs", ("macs",), ".2f", MILLIONTH),
    Column("inherited %", ("inherited",), ".1f"),
    Column("trained alone %", ("alone",), ".1f"),
)


def three_ways_page(run_dir: Path) -> Page:
    """Builds the page of such a run: the fronts, the answer in words, hours, every network."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    hours = read_document(run_dir, "hours.json")
    base = config.get("settings", "plan", "base_channels")
    return Page(
        title="The ways to a small network, side by side",
        summary=f"Run {run_dir.resolve().name}; one corpus, the same clips and teachers for all; "
        f"pruned and cut out of SSCP-Mobile {base}.",
        verdicts=[],
        sections=[
            section("Accuracy", [*warnings(config), *_accuracy(results)]),
            section("In words", _words(results, hours)),
            section("Processor time", _hours(hours)),
            section("Ranking by inherited weights", _ranking(results)),
            section("Every network", _networks(results)),
            section("Origin", provenance(config)),
        ],
    )


def three_ways_summary(run_dir: Path) -> str:
    """Returns the tables of accuracy and hours for a terminal."""
    blocks = [*_accuracy(read_document(run_dir, "results.json"))]
    blocks += _hours(read_document(run_dir, "hours.json"))
    return "\n\n".join(as_text(block) for block in blocks if isinstance(block, Table))


def _accuracy(results: Document) -> Iterator[Block]:
    means = results.entries("means", numbers=("budget", "accuracy", "macs"))
    if not means:
        yield missing(results, "networks")
        return
    budgets = sorted({row["budget"] for _, row in means})
    rows: list[list[Cell]] = []
    for way, name in _ways(means):
        place = {row["budget"]: at for at, row in means if row.get("way") == way}
        cells: list[Cell] = [
            results.number("means", place[macs], "accuracy") if macs in place else None
            for macs in budgets
        ]
        rows.append([name, *cells])
    yield Table(
        "accuracy",
        "Macro accuracy on the dev-test clips in percent, mean over seeds, by the largest MMACs",
        ["way", *(f"{macs * MILLIONTH:g}" for macs in budgets)],
        rows,
    )
    if (picture := _fronts(results, means)) is not None:
        yield picture


def _ways(rows: list[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    found = {str(row.get("way")) for _, row in rows}
    return ((way, name) for way, name in WAYS.items() if way in found)


def _fronts(results: Document, means: list[tuple[int, Mapping[str, Any]]]) -> Picture | None:
    groups = []
    for index, (way, name) in enumerate(_ways(means)):
        points = []
        for at, row in sorted(means, key=lambda one: one[1]["macs"]):
            score = results.number("means", at, "accuracy")
            if row.get("way") == way and score is not None:
                macs = row["macs"] * MILLIONTH
                points.append(Point(macs, score, f"{name}, {macs:.2f} MMACs: ", row))
        groups.append(Points(name, points, nth_series(index)))
    title = "Accuracy against MACs, mean over the seeds"
    return scored_points("fronts", title, groups, "MMACs", "dev-test clips: accuracy, %")


def _words(results: Document, hours: Document) -> Iterator[Block]:
    entries = results.entries("differences", numbers=("budget", "difference"))
    for budget in dict.fromkeys(row["budget"] for _, row in entries):
        sentence: list[str | Number] = [
            f"At {budget * MILLIONTH:g} MMACs the tuned sub-network gains "
        ]
        for at, row in entries:
            compared = row["budget"], row.get("way"), row.get("of")
            if compared in ((budget, "tuned", "pruned"), (budget, "tuned", "dense")):
                of = "the pruned one" if row["of"] == "pruned" else "the one trained alone"
                joined = [] if len(sentence) == 1 else [", and "]
                sentence += [*joined, *_compared(results, at), f" on {of}"]
        yield Note([*sentence, "."])
    totals = {row.get("way"): at for at, row in hours.entries(numbers=("all",))}
    if "tuned" in totals and "pruned" in totals:
        own, its = (hours.number(totals[way], "all", spec=".3g") for way in ("tuned", "pruned"))
        if own is not None and its is not None:
            yield Note(
                [
                    "For all budgets together, the supernet with its tuned sub-networks took ",
                    *(own, " processor hours a seed, and pruning ", its, "."),
                ]
            )
    columns = (
        Column("MMACs at most", ("budget",), ".4g", MILLIONTH),
        Column("points", ("difference",), "+.1f"),
        Column("95 % from", ("interval", 0), "+.1f"),
        Column("to", ("interval", 1), "+.1f"),
    )
    rows = [
        [
            " - ".join(WAYS.get(str(row.get(key)), NOTHING) for key in ("way", "of")),
            *(column.cell(results, "differences", at) for column in columns),
        ]
        for at, row in entries
    ]
    if rows:
        headings = ["ways", *(column.heading for column in columns)]
        yield Table("differences", "Differences in macro accuracy, in points", headings, rows)


def _compared(results: Document, at: int) -> Iterator[str | Number]:
    """Yields the words of a difference, and whether its interval holds 0."""
    points = results.number("differences", at, "difference", spec="+.1f")
    low, high = (results.number("differences", at, "interval", end, spec="+.1f") for end in (0, 1))
    if points is None or low is None or high is None:
        yield "unknown points"
        return
    certain = "which holds 0" if low.value <= 0 <= high.value else "without 0"
    yield from (points, " points (95 % interval ", low, " to ", high, f", {certain})")


def _hours(hours: Document) -> Iterator[Block]:
    entries = hours.entries(numbers=("all",))
    if not entries:
        yield missing(hours, "processor time")
        return
    budgets = [row.get("budget", 0) for row in hours.rows(entries[0][0], "each")]
    rows: list[list[Cell]] = []
    for at, row in entries:
        each: list[Cell] = [
            hours.number(at, "each", index, "hours", spec=".3f") for index in range(len(budgets))
        ]
        name = WAYS.get(str(row.get("way")), NOTHING)
        rows.append([name, *each, hours.number(at, "all", spec=".3f")])
    yield Table(
        "hours",
        "Processor hours of a seed: a way's network for one budget alone, by the largest MMACs, "
        "and all of them together, which share the wide network and the supernet",
        ["way", *(f"{macs * MILLIONTH:g}" for macs in budgets), "all"],
        rows,
    )


def _ranking(results: Document) -> Iterator[Block | None]:
    tau = results.number("ranking", "kendall_tau", spec=".2f")
    p_value = results.number("ranking", "p_value", spec=".2g")
    if tau is None or p_value is None:
        yield Note("Not measured: no sub-networks were trained alone, or all scores are equal.")
    else:
        yield Note(["Kendall's tau is ", tau, " (p = ", p_value, ")."])
    title = "Accuracy on the held-out clips, with inherited weights and trained alone"
    yield listed(results, ("ranking", "rows"), "ranking", title, _RANKED)


def _networks(results: Document) -> Iterator[Block | None]:
    entries = results.entries("networks", numbers=("budget", "accuracy"))
    if not entries:
        yield missing(results, "networks")
        return
    rows = [
        [
            WAYS.get(str(row.get("way")), NOTHING),
            *(column.cell(results, "networks", at) for column in _NETWORKS),
        ]
        for at, row in entries
    ]
    headings = ["way", *(column.heading for column in _NETWORKS)]
    yield Table("networks", "Each network on the dev-test clips", headings, rows, across=True)
