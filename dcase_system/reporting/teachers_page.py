"""The page of an ensemble of teachers."""

from collections.abc import Iterator
from pathlib import Path

from dcase_system.reporting.content import Block, Document, Page, Table, Verdict, section
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.training_figures import overlaid

_ENSEMBLE = "ensemble.json"
_LISTS = {
    "train": "training clips",
    "validation": "held-out clips",
    "dev_test": "dev-test clips",
}


def teachers_page(run_dir: Path) -> Page:
    """Builds the page of a teachers' run: members, ensemble, and trainings."""
    config = read_document(run_dir, "config.json")
    ensemble = read_document(run_dir, _ENSEMBLE)
    members = config.names("settings", "members")
    split = config.get("settings", "split")
    at = ("dev_test", "ensemble")
    return Page(
        title=f"Teachers of split{split}",
        summary=f"{len(members)} members: {', '.join(members)}.",
        verdicts=[
            Verdict("ensemble's macro accuracy, %", ensemble.number(*at, "accuracy")),
            Verdict("log loss", ensemble.number(*at, "logloss", spec=".3f")),
        ],
        sections=[
            section("Agreement", [*warnings(config), *_agreement(ensemble)]),
            section("Training", _training(run_dir, members)),
            section("Origin", provenance(config)),
        ],
    )


def read_ensemble_tables(run_dir: Path) -> list[Table]:
    """Builds the `ensemble_tables` of a teachers' run."""
    return ensemble_tables(read_document(run_dir, _ENSEMBLE))


def ensemble_tables(document: Document) -> list[Table]:
    """Builds a table per list: accuracy, entropy and agreement of each teacher and the ensemble.

    Args:
        document: Results of `describe_ensemble`, by the list's name.
    """
    columns = ("teacher", "accuracy %", "log loss", "entropy, nats", "agrees %")
    specs = {"accuracy": ".1f", "logloss": ".3f", "entropy": ".3f", "agreement": ".1f"}
    return [
        Table(
            f"teachers_{name}",
            f"On the {clips}; agreement is with the ensemble's decisions",
            columns,
            [
                (member, *(document.number(name, member, k, spec=s) for k, s in specs.items()))
                for member in document.names(name)
            ],
        )
        for name, clips in _LISTS.items()
        if document.names(name)
    ]


def _agreement(ensemble: Document) -> Iterator[Block]:
    yield from ensemble_tables(ensemble) or (missing(ensemble, "description of the ensemble"),)


def _training(run_dir: Path, members: list[str]) -> Iterator[Block | None]:
    logs = {member: read_document(run_dir, f"{member}/metrics.jsonl") for member in members}
    picture = overlaid(logs, "loss", "Loss of each member")
    yield picture
    for member, log in logs.items():
        if not log.rows():
            yield missing(log, f"log of {member}")
