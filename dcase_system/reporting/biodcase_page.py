"""The page of a network for BioDCASE-Tiny 2026: scores, costs, and the terms of the rank."""

from collections.abc import Iterator
from pathlib import Path

from dcase_system.reporting.content import Block, Cell, Note, Page, Table, section
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.training_figures import overlaid

_HOW = ("measured", "modelled")
_NOTE = (
    "Scores are those of the submitted files, on the clips of the validation part. "
    "Modelled values were not measured on a board: time and RAM of the network are computed, and "
    "the times of start and front end are the published ones of the contest's own code. The rank "
    "score rests on them."
)


def biodcase_page(run_dir: Path) -> Page:
    """Builds the page of such a run."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    log = read_document(run_dir, "metrics.jsonl")
    architecture = config.get("settings", "plan", "architecture")
    return Page(
        title="A network for BioDCASE-Tiny 2026",
        summary=f"Run {run_dir.resolve().name}; {architecture}.",
        verdicts=[],
        sections=[
            section("Scores, costs and rank", _scores(config, results)),
            section(
                "Training",
                [
                    overlaid({str(architecture): log}, "loss", "Loss")
                    or missing(log, "training log")
                ],
            ),
            section("Origin", provenance(config)),
        ],
    )


def biodcase_summary(run_dir: Path) -> str:
    """Returns the table of scores, costs and rank for a terminal."""
    table = _table(read_document(run_dir, "results.json"))
    return as_text(table) if table else ""


def _scores(config: Document, results: Document) -> Iterator[Block | None]:
    yield Note(_NOTE)
    yield from warnings(config)
    yield _table(results) or missing(results, "scores")


def _table(results: Document) -> Table | None:
    rows: list[list[Cell]] = []
    for how in _HOW:
        for name in results.names(how):
            value = results.get(how, name)
            spec = ",.0f" if name.endswith("bytes") or name.startswith(("macs", "num")) else ",.4g"
            if isinstance(value, float) and abs(value) <= 1:
                spec = ".4f"
            number = results.number(how, name, spec=spec)
            rows.append([name, number, results.number("rank_terms", name, spec=".3f"), how])
    if not rows:
        return None
    total = results.number("rank_score", spec=".3f")
    rows.append(["rank score", None, total, "rests on modelled values"])
    title = "Results by the names of the contest's files, and terms of its rank"
    return Table("rank", title, ["result", "value", "rank", "how"], rows)
