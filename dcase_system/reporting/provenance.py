"""The provenance of a run, for the end of its page and of its command's output."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from dcase_system.reporting.content import Block, Note, Table
from dcase_system.reporting.documents import missing, read_document
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.tables import note_text, shown


def provenance(config: Document) -> Iterator[Block]:
    """Yields command, seed, commit and versions.

    Args:
        config: The run's `config.json`.
    """
    command, versions = config.get("command"), config.get("versions")
    if not isinstance(command, list) or not isinstance(versions, dict):
        yield missing(config, "record of the run's provenance")
        return
    commit = config.get("code", "commit") or "unknown"
    changed = ", changed since" if config.get("code", "dirty") else ""
    places = (("settings", "plan", "seed"), ("settings", "seed"))
    seeds = [config.number(*place, spec=".0f") for place in places]
    yield Note(f"Command: {shlex.join(map(str, command))}")
    yield Table(
        "origin",
        "Command, seed, commit and versions",
        ("what", "which"),
        [
            ("seed", next((seed for seed in seeds if seed), None)),
            ("commit", f"{commit}{changed}"),
            *((str(name), str(version)) for name, version in versions.items()),
        ],
    )


def provenance_text(run_dir: Path) -> str:
    """Returns seed, commit and versions as a paragraph for a terminal."""
    *_, last = provenance(read_document(run_dir, "config.json"))
    if isinstance(last, Table):
        last = Note("; ".join(f"{what} {shown(which)}" for what, which in last.rows))
    assert isinstance(last, Note)
    return note_text(last)
