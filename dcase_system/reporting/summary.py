"""The summary at the end of a recipe, at most 80 columns wide."""

from pathlib import Path

from dcase_system.reporting.content import Note
from dcase_system.reporting.run_files import Run, read_run
from dcase_system.reporting.run_page import (
    EDITION,
    part_table,
    rules_table,
    variants_table,
    verdicts,
)
from dcase_system.reporting.tables import as_text, note_text


def run_summary(run_dir: Path) -> str:
    """Summarizes accuracy by device group, device and variant, and costs against the limits."""
    run = read_run(run_dir)
    accuracy, logloss, *_ = verdicts(run)
    interval = f" ({accuracy.remark})" if accuracy.remark else ""
    lines = [
        f"dev-test macro accuracy {accuracy.value} %{interval}, log loss {logloss.value}",
        _by(run, "device_group"),
        _by(run, "device"),
        "",
        as_text(variants_table(run)),
        "",
        as_text(rules_table(run.complexity, [EDITION])),
    ]
    return "\n".join(lines)


def _by(run: Run, part: str) -> str:
    table = part_table(run, part)
    found = ", ".join(f"{name} {accuracy}" for name, accuracy, *_ in table.rows)
    return note_text(Note(f"by {table.columns[0]}: {found}"))
