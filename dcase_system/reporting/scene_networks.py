"""The page of networks trained with a scene search's final training plan: Table 4."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dcase_system.reporting.content import Block, Note, Page, section
from dcase_system.reporting.documents import missing, read_document
from dcase_system.reporting.json_tables import Column, listed
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.scene_tables import (
    accuracy_intervals,
    chance_note,
    table3,
    table4,
)
from dcase_system.reporting.search_figures import MILLIONTH
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.training_figures import overlaid

_COSTS = (
    Column("network", ("name",)),
    Column("parameters", ("complexity", "params"), ","),
    Column("MMACs", ("complexity", "macs"), ".1f", MILLIONTH),
    Column("bytes at float32", ("complexity", "bytes", "float32"), ","),
    Column("bytes at float16", ("complexity", "bytes", "float16"), ","),
)


def scene_networks_page(run_dir: Path) -> Page:
    """Builds the page of such a run: sizes and accuracies, layers, costs, trainings."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    names = config.names("settings", "networks")
    return Page(
        title="Networks for acoustic scenes",
        summary=f"Run {run_dir.resolve().name}; {', '.join(names)}.",
        verdicts=[],
        sections=[
            section("Size and accuracy", _networks(results)),
            section("Training", _training(run_dir, names)),
            section("Origin", provenance(config)),
        ],
    )


def networks_summary(run_dir: Path) -> str:
    """Returns Table 4 for a terminal."""
    table = table4(read_document(run_dir, "results.json"))
    return as_text(table) if table else ""


def _name(network: Mapping[str, Any]) -> str:
    return str(network.get("name"))


def _networks(results: Document) -> Iterator[Block | None]:
    yield Note(
        "Accuracy is the share of all clips, as in the paper; macro is its mean over the "
        "classes. A MiB is what the paper calls MB. The modifications of its AlexNet are not "
        "published: alexnet_modified is a design of the same size. Models A and B are listed "
        "twice: as their authors trained them (scene_a, scene_b) and as Table 3 prints them."
    )
    yield chance_note(results)
    yield table4(results) or missing(results, "networks")
    yield accuracy_intervals(results, "networks", _name)
    yield table3(results, "networks", _name)
    yield listed(results, ("networks",), "costs", "Cost of each network, one segment", _COSTS)


def _training(run_dir: Path, names: list[str]) -> Iterator[Block | None]:
    logs = {name: read_document(run_dir, f"{name}/metrics.jsonl") for name in names}
    yield overlaid(logs, "loss", "Loss of each network")
    yield from (missing(log, f"log of {name}") for name, log in logs.items() if not log.rows())
