"""The page of a challenge package: every system on every split, beside the published rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dcase_system.reporting.content import (
    Block,
    Link,
    Mark,
    Note,
    Page,
    Picture,
    Table,
    Verdict,
    section,
)
from dcase_system.reporting.derived import chance_sentence, joined
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.json_tables import Column, listed, published_on
from dcase_system.reporting.numbers import Document, is_number
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.style import SERIES, house_style, new_figure

RESULTS = "results.json"


def package_page(run_dir: Path) -> Page:
    """Builds the page of a package recipe's folder."""
    results = read_document(run_dir, RESULTS)
    systems = [str(row.get("system")) for row in results.rows("systems")]
    chance = chance_sentence(results.number("classes", spec="d"))
    verdicts = [
        Verdict(
            "macro accuracy, %",
            mean,
            remark=joined([f"{row.get('system')}, mean over the splits"], chance),
        )
        for at, row in results.entries("systems")
        if (mean := results.number("systems", at, "mean"))
    ]
    config = read_document(run_dir, "config.json")
    return Page(
        title="Challenge package",
        summary=f"Systems: {', '.join(systems) or 'none yet'}. Dev-test clips, submitted variants.",
        verdicts=verdicts,
        sections=[
            section("Systems and splits", [*warnings(config), *_systems(results)]),
            section("Runs", _runs(run_dir)),
            section("Origin", provenance(config)),
        ],
    )


def _systems(results: Document) -> Iterator[Block | None]:
    if not results.rows("systems"):
        yield missing(results, "results")
        return
    yield _by_split(results)
    yield configuration_table(results)
    yield package_table(results)
    yield intervals_table(results)
    yield _known(results, "unseen", "Accuracy on unseen devices, percent", ".1f")
    yield _known(results, "logloss", "Log loss", ".3f")
    yield _device_specific(results)
    yield from _over_seeds(results)


def configuration_table(results: Document) -> Table | None:
    """Builds the report's Table 1: system configurations, beside the published rows."""
    columns = [
        Column("system", ("system",)),
        Column("parameters", ("params",), ","),
        Column("MACs", ("macs",), ","),
        Column("teachers", ("teachers",)),
        Column("schedule", ("schedule",)),
        Column("pruned", ("pruned",)),
    ]
    return _beside_published(results, "configuration", "Table 1: configuration", columns)


def package_table(results: Document) -> Table | None:
    """Builds the report's Table 2: every system on every split, beside the published rows."""
    columns = [
        *_of_splits(results, "accuracy", ".1f"),
        Column("mean", ("mean",), ".1f"),
        Column("bytes", ("bytes",), ","),
        Column("MMACs", ("macs",), ".2f", 1e-6),
    ]
    title = "Table 2: macro accuracy on the dev-test clips, percent"
    return _beside_published(results, "package", title, columns)


def intervals_table(results: Document) -> Table | None:
    """Builds the 95 % intervals of every system on every split; None if none is known."""
    columns = [
        Column("system", ("system",)),
        *(
            Column(f"{split} % {heading}", (key, str(split)), ".1f")
            for split in _splits(results)
            for heading, key in (("from", "low"), ("to", "high"))
        ),
    ]
    title = "95 % intervals of the macro accuracy in Table 2, percent"
    return _known_rows(listed(results, ("systems",), "intervals", title, columns, across=True))


def _beside_published(
    results: Document, name: str, title: str, columns: Sequence[Column]
) -> Table | None:
    ours = listed(results, ("systems",), name, title, columns, across=True)
    published = listed(results, ("published",), name, title, columns)
    if ours is None or published is None:
        return ours
    title = f"{title}. {published_on(results, 'published')}"
    return replace(ours, title=title, rows=[*ours.rows, *published.rows])


def _device_specific(results: Document) -> Table | None:
    """Builds the accuracies with device-specific networks; None if no run has them."""
    columns = [
        Column("system", ("system",)),
        *(
            Column(f"{split} %{heading}", (f"device_{key}", str(split)), spec)
            for split in _splits(results)
            for heading, key, spec in (
                ("", "specific", ".1f"),
                (" difference", "difference", "+.1f"),
                (" from", "low", "+.1f"),
                (" to", "high", "+.1f"),
            )
        ),
    ]
    title = (
        "Macro accuracy with device-specific networks, percent; difference to the general network "
        "in points, with its paired 95 % interval"
    )
    table = listed(results, ("systems",), "device_specific", title, columns, across=True)
    return _known_rows(table)


def _over_seeds(results: Document) -> Iterator[Block | None]:
    """Yields mean and deviation of systems trained with several seeds."""
    if not results.rows("over_seeds"):
        return
    root, seeds = ("over_seeds",), len(results.get("seeds") or ())
    columns = [*_of_splits(results, "accuracy", ".1f"), Column("mean", ("mean",), ".1f")]
    title = f"Macro accuracy, mean of {seeds} seeds, percent"
    yield listed(results, root, "mean_of_seeds", title, columns)
    title = f"Standard deviation between {seeds} seeds, points"
    columns = _of_splits(results, "deviation", ".1f")
    yield listed(results, root, "deviation_of_seeds", title, columns)


def _of_splits(results: Document, key: str, spec: str) -> list[Column]:
    """Returns columns for a system's name and its value on each split."""
    values = [Column(f"{split} %", (key, str(split)), spec) for split in _splits(results)]
    return [Column("system", ("system",)), *values]


def _splits(results: Document) -> list[float]:
    return [split for split in results.get("splits") or () if is_number(split)]


def _known(results: Document, key: str, title: str, spec: str) -> Table | None:
    """Builds a table of the systems with known values; None if there are none."""
    columns = _of_splits(results, key, spec)
    table = listed(results, ("systems",), f"{key}_by_split", title, columns)
    return _known_rows(table)


def _known_rows(table: Table | None) -> Table | None:
    """Leaves out rows without values, and the table if it has no others."""
    rows = [row for row in table.rows if any(row[1:])] if table else []
    return replace(table, rows=rows) if table and rows else None


@house_style
def _by_split(results: Document) -> Picture | None:
    splits = [split for split in _splits(results) if split > 0]
    if len(splits) < 2:
        return None
    figure, (axes,) = new_figure(3.2)
    marks = {}
    # Published lines from another corpus would suggest a comparison that is not valid.
    places = ["systems", *(["published"] if results.get("same_corpus") is True else [])]
    entries = [(place, at, row) for place in places for at, row in results.entries(place)]
    for number, (place, at, row) in enumerate(entries):
        found = {s: results.number(place, at, "accuracy", str(s)) for s in splits}
        known = {split: value for split, value in found.items() if value is not None}
        name, style = str(row.get("system")), SERIES[number % len(SERIES)]
        (line,) = axes.plot(
            list(known), [n.value for n in known.values()], label=name, markersize=5, **style
        )
        line.set_gid(f"system-{number}")
        marks[f"system-{number}"] = [
            Mark(f"{name}, {split} % split: {value} %", value) for split, value in known.items()
        ]
    axes.set_xscale("log")
    axes.set_xticks(splits, [f"{split}" for split in splits])
    axes.minorticks_off()
    axes.set(xlabel="training clips, % of the list", ylabel="macro accuracy, %")
    axes.legend(frameon=False, fontsize="small")
    return Picture("by_split", "Accuracy by the size of the training list", figure, marks)


def _runs(run_dir: Path) -> Iterator[Block | None]:
    patterns = (f"*/split_*/{REPORT}", f"seed_*/*/split_*/{REPORT}")
    paths = [path for one in patterns for path in sorted(run_dir.glob(one), key=_natural)]
    if not paths:
        yield Note("None has finished yet.")
    for path in paths:
        name = path.parent.relative_to(run_dir).as_posix()
        yield Link(name, f"{name}/{path.name}")


def _natural(path: Path) -> tuple[str, str, int]:
    split, system = path.parent.name.removeprefix("split_"), path.parent.parent
    return system.parent.name, system.name, int(split) if split.isdecimal() else 0
