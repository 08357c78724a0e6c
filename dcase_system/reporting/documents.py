"""The files of a run as a report reads them: what is missing or broken is left out, and said."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dcase_system.files import parse_json
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


def missing(document: Document, what: str) -> Note:
    """Says that a part of the report is missing, and why."""
    reason = document.fault or "of another version of this package, or made by hand"
    return Note(f"No {what}: {document.name} is {reason}.")


def _lines(text: str) -> list[Mapping[str, Any]]:
    # The last line may be torn by a kill; it has no newline then.
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
