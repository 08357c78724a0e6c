"""The files of a run as a report reads them: what is missing or broken is left out, and said."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError
from dcase_system.core.files import parse_json
from dcase_system.reporting.content import Document, Note


def read_document(base: Path, name: str) -> Document:
    """A `.json` or `.jsonl` file by its path below a page; empty if it is missing or broken."""
    try:
        text = (base / name).read_text(encoding="utf-8")
        content = _lines(text) if name.endswith(".jsonl") else parse_json(text)
    except FileNotFoundError:
        return Document(name, fault="not there")
    except (OSError, ValueError) as error:
        return Document(name, fault=f"not readable ({' '.join(str(error).split())})")
    return Document(name, content)


def kind_of(run_dir: Path, kinds: Iterable[str]) -> str:
    """The kind of a run, by what only the settings of such a run have.

    Args:
        run_dir: of the run.
        kinds: names of settings.

    Raises:
        InputError: the folder is not a run directory of these kinds.
    """
    config = read_document(run_dir, "config.json")
    settings = config.names("settings")
    found = next((kind for kind in kinds if kind in settings), None)
    if found is None:
        raise InputError(
            "not a run directory",
            where=run_dir,
            expected="config.json with the settings of a run",
            received=config.fault or "other content",
        )
    return found


def warnings(config: Document) -> list[Note]:
    """What the run's lists have to be minded for, as its `config.json` keeps it."""
    return [Note(f"Warning: {line}.") for line in config.texts("settings", "warnings")]


def missing(document: Document, what: str) -> Note:
    """Says that a part of the report is missing, and why."""
    reason = document.fault or "of another version of this package, or made by hand"
    return Note(f"No {what}: {document.name} is {reason}.")


def _lines(text: str) -> list[Mapping[str, Any]]:
    # The last line may be torn by a kill; it has no newline then.
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
