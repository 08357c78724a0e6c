"""Reads the files of a run for a report; missing or broken files are reported, not fatal."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError
from dcase_system.core.files import parse_json
from dcase_system.core.folders import refuse_file
from dcase_system.reporting.content import Note
from dcase_system.reporting.numbers import Document


def read_document(base: Path, name: str) -> Document:
    """Reads a `.json` or `.jsonl` file below a page; empty if it is missing or broken."""
    try:
        text = (base / name).read_text(encoding="utf-8")
        content = _lines(text) if name.endswith(".jsonl") else parse_json(text)
    except FileNotFoundError:
        return Document(name, fault="missing")
    except (OSError, ValueError) as error:
        return Document(name, fault=f"not readable ({' '.join(str(error).split())})")
    return Document(name, content)


def kind_of(run_dir: Path, kinds: Collection[str]) -> str:
    """Reads the kind of a run from its settings.

    Args:
        run_dir: Run directory.
        kinds: Kinds that are expected.

    Raises:
        InputError: The folder is not a run directory of these kinds.
    """
    refuse_file(run_dir)
    config = read_document(run_dir, "config.json")
    found = config.get("settings", "kind")
    if found not in kinds:
        raise InputError(
            "not a run directory",
            where=run_dir,
            expected=f"config.json of a run of a kind in {', '.join(kinds)}",
            received=config.fault or f"kind {found!r}",
        )
    return found


def warnings(config: Document) -> list[Note]:
    """Returns the warnings about the run's lists from its `config.json`."""
    return [Note(f"Warning: {line}.") for line in config.texts("settings", "warnings")]


def missing(document: Document, what: str) -> Note:
    """Builds a note that a part of the report is missing, and why."""
    reason = document.fault or "from another version of this package, or made by hand"
    return Note(f"No {what}: {document.name} is {reason}.")


def _lines(text: str) -> list[Mapping[str, Any]]:
    # A killed process may leave a partial last line, without a newline.
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
