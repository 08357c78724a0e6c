"""The summary at the end of a recipe, at most 80 columns wide."""

from pathlib import Path

from dcase_system.reporting.content import Note
from dcase_system.reporting.derived import chance_of
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.run_complexity import EDITION, rules_table
from dcase_system.reporting.run_devices import device_networks_table
from dcase_system.reporting.run_files import Run, read_run
from dcase_system.reporting.run_page import part_table, verdicts
from dcase_system.reporting.run_variants import accuracy_interval, variants_table
from dcase_system.reporting.run_warnings import result_warnings
from dcase_system.reporting.tables import as_text, note_text


def run_summary(run_dir: Path) -> str:
    """Summarizes accuracy by device group, device and variant, and costs against the limits."""
    run = read_run(run_dir)
    accuracy, logloss, *_ = verdicts(run)
    interval, chance = plain(accuracy_interval(run)), plain(chance_of(run.config))
    known = f" ({interval})" if interval else ""
    lines = [
        f"dev-test macro accuracy {accuracy.value} %{known}, log loss {logloss.value}",
        *([chance] if chance else []),
        *map(note_text, result_warnings(run)),
        _by(run, "device_group"),
        _by(run, "device"),
        *(["", as_text(device_networks_table(run))] if run.is_device_specific else []),
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
