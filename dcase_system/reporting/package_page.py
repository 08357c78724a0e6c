"""The page of a challenge package: every system on every split, beside the published baseline."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dcase_system.reporting.content import (
    Block,
    Cell,
    Document,
    Link,
    Mark,
    Note,
    Page,
    Picture,
    Section,
    Table,
    Verdict,
    is_number,
)
from dcase_system.reporting.documents import missing, read_document
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.style import SERIES, house_style, new_figure

RESULTS = "results.json"


def package_page(run_dir: Path) -> Page:
    """The page of a package recipe's folder."""
    results = read_document(run_dir, RESULTS)
    systems = [str(row.get("system")) for row in results.rows("systems")]
    rows = results.rows("systems")
    ours = [at for at, row in enumerate(rows) if not row.get("published")]
    verdicts = [
        Verdict("macro accuracy, %", mean, remark=f"{systems[at]}, mean over the splits")
        for at in ours
        if (mean := results.number("systems", at, "mean"))
    ]
    config = read_document(run_dir, "config.json")
    return Page(
        title="Challenge package",
        summary=f"Systems: {', '.join(systems) or 'none yet'}. Dev-test clips, submitted forms.",
        verdicts=verdicts,
        sections=[
            Section("Systems and splits", list(_systems(results))),
            Section("Runs", list(_runs(run_dir))),
            Section("Origin", list(provenance(config))),
        ],
    )


def _systems(results: Document) -> Iterator[Block]:
    if not results.rows("systems"):
        yield missing(results, "results")
        return
    yield from [picture] if (picture := _by_split(results)) else []
    yield package_table(results)
    yield _of_splits(results, "unseen", "Accuracy on unseen devices, percent", ".1f")
    yield _of_splits(results, "logloss", "Log loss", ".3f")


def package_table(results: Document) -> Table:
    """Macro accuracy of every system on every split, its mean, and the system's cost."""
    table = _of_splits(results, "accuracy", "Macro accuracy on the dev-test clips, percent", ".1f")
    rows = [
        (
            *row,
            results.number("systems", at, "mean"),
            results.number("systems", at, "bytes", spec=","),
            results.number("systems", at, "macs", spec=".2f", scale=1e-6),
        )
        for at, row in enumerate(table.rows)
    ]
    return Table("package", table.title, (*table.columns, "mean", "bytes", "MMACs"), rows)


def _of_splits(results: Document, key: str, title: str, spec: str) -> Table:
    splits = [split for split in results.get("splits") or () if is_number(split)]
    rows: list[Sequence[Cell]] = [
        (
            str(row.get("system")),
            *(results.number("systems", at, key, str(split), spec=spec) for split in splits),
        )
        for at, row in enumerate(results.rows("systems"))
    ]
    rows = [row for row in rows if any(cell is not None for cell in row[1:])]
    return Table(f"{key}_by_split", title, ("system", *(f"{split} %" for split in splits)), rows)


@house_style
def _by_split(results: Document) -> Picture | None:
    splits = [split for split in results.get("splits") or () if is_number(split) and split > 0]
    if len(splits) < 2:
        return None
    figure, (axes,) = new_figure(3.2)
    marks = {}
    for at, row in enumerate(results.rows("systems")):
        found = {s: results.number("systems", at, "accuracy", str(s)) for s in splits}
        known = {split: number for split, number in found.items() if number is not None}
        name, style = str(row.get("system")), SERIES[at % len(SERIES)]
        (line,) = axes.plot(
            list(known), [n.value for n in known.values()], label=name, markersize=5, **style
        )
        line.set_gid(f"system-{at}")
        marks[f"system-{at}"] = [
            Mark(f"{name}, {split} % split: {number} %", number) for split, number in known.items()
        ]
    axes.set_xscale("log")
    axes.set_xticks(splits, [f"{split}" for split in splits])
    axes.minorticks_off()
    axes.set(xlabel="training clips, % of the list", ylabel="macro accuracy, %")
    axes.legend(frameon=False, fontsize="small")
    return Picture("by_split", "Accuracy by the size of the training list", figure, marks)


def _runs(run_dir: Path) -> Iterator[Block]:
    paths = sorted(run_dir.glob(f"*/split_*/{REPORT}"), key=_natural)
    if not paths:
        yield Note("None has come to its end yet.")
    for path in paths:
        name = path.parent.relative_to(run_dir).as_posix()
        yield Link(name, f"{name}/{path.name}")


def _natural(path: Path) -> tuple[str, int]:
    split = path.parent.name.removeprefix("split_")
    return path.parent.parent.name, int(split) if split.isdecimal() else 0
