"""The page of an ensemble of teachers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dcase_system.reporting.content import Block, Page, Table, Verdict, section
from dcase_system.reporting.derived import (
    chance_of,
    chance_precision_of,
    counted,
    interval_of,
    joined,
    plural,
)
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.json_tables import Column
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.search_figures import PERCENT
from dcase_system.reporting.training_figures import overlaid

_ENSEMBLE = "ensemble.json"
_AGREEMENT = Column("agrees %", ("agreement",), ".1f")
_ACCURACY = Column("accuracy %", ("accuracy",), ".1f")
_COLUMNS: tuple[Column, ...] = (
    Column("log loss", ("logloss",), ".3f"),
    Column("ECE %", ("calibration_error",), ".1f"),
    Column("entropy, nats", ("entropy",), ".3f"),
    _AGREEMENT,
)
_LISTS = {
    "train": "training clips",
    "out_of_fold": "training clips, each by the teachers that were not trained on it",
    "validation": "held-out clips",
    "dev_test": "dev-test clips",
}


def teachers_page(run_dir: Path) -> Page:
    """Builds the page of a teachers' run: members, ensemble, and trainings."""
    config = read_document(run_dir, "config.json")
    ensemble = read_document(run_dir, _ENSEMBLE)
    members = config.names("settings", "members")
    split = config.get("settings", "split")
    return Page(
        title=f"{plural(len(members), 'Teacher')} of split{split}",
        summary=f"{counted(len(members), 'teacher')}: {', '.join(members)}.",
        verdicts=list(_verdicts(config, ensemble, len(members))),
        sections=[
            section("Accuracy", [*warnings(config), *_agreement(ensemble)]),
            section("Training", _training(run_dir, members)),
            section("Origin", provenance(config)),
        ],
    )


def _verdicts(config: Document, ensemble: Document, members: int) -> Iterator[Verdict]:
    at = ("dev_test", "ensemble")
    whose = "teacher's" if members == 1 else "ensemble's"
    if (mean := ensemble.number(*at, "map", scale=PERCENT)) is not None:
        interval = interval_of(ensemble, *at, "interval_95", scale=PERCENT)
        remark = joined(interval, chance_precision_of(ensemble, *at, "chance"))
        yield Verdict(f"{whose} mean average precision, %", mean, remark=remark)
        return
    remark = joined(interval_of(ensemble, *at, "interval_95"), chance_of(config))
    yield Verdict(f"{whose} macro accuracy, %", ensemble.number(*at, "accuracy"), remark=remark)
    yield Verdict("log loss", ensemble.number(*at, "logloss", spec=".3f"))


def read_ensemble_tables(run_dir: Path) -> list[Table]:
    """Builds the `ensemble_tables` of a teachers' run."""
    return ensemble_tables(read_document(run_dir, _ENSEMBLE))


def ensemble_tables(document: Document) -> list[Table]:
    """Builds a table per list: accuracy, calibration and agreement of teachers and ensemble.

    Args:
        document: Results of `describe_ensemble`, by the list's name.
    """
    return [
        _ensemble_table(document, name, clips)
        for name, clips in _LISTS.items()
        if document.names(name)
    ]


def _ensemble_table(document: Document, name: str, clips: str) -> Table:
    title, score, others = f"On the {clips}", _ACCURACY, _COLUMNS
    if document.number(name, "ensemble", "map") is not None:
        score, others = Column("mAP %", ("map",), ".1f", PERCENT), ()
    columns = [score]
    if document.get(name, "ensemble", "interval_95"):
        title += ", with 95 % intervals"
        columns += [
            replace(score, heading=heading, keys=("interval_95", end))
            for end, heading in enumerate(("from", "to"))
        ]
    columns += others
    members = [member for member in document.names(name) if member != "ensemble"]
    if len(members) == 1:
        # The ensemble is this teacher: its row would repeat the numbers, and both always agree.
        columns = [column for column in columns if column != _AGREEMENT]
    else:
        if _AGREEMENT in columns:
            title += "; agreement is with the ensemble's decisions"
        members = document.names(name)
    rows = [
        (member, *(column.cell(document, name, member) for column in columns)) for member in members
    ]
    headings = ["teacher", *(column.heading for column in columns)]
    return Table(f"teachers_{name}", title, headings, rows)


def _agreement(ensemble: Document) -> Iterator[Block]:
    yield from ensemble_tables(ensemble) or (missing(ensemble, "description of the ensemble"),)


def _training(run_dir: Path, members: list[str]) -> Iterator[Block | None]:
    logs = {member: read_document(run_dir, f"{member}/metrics.jsonl") for member in members}
    picture = overlaid(logs, "loss", "Loss of each member")
    yield picture
    for member, log in logs.items():
        if not log.rows():
            yield missing(log, f"log of {member}")
