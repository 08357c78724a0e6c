"""The summary at the end of a recipe, at most 80 columns wide."""

from pathlib import Path

from dcase_system.reporting.content import Note
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.rejection import rejection_notes
from dcase_system.reporting.run_complexity import EDITION, TARGET, rules_table
from dcase_system.reporting.run_devices import device_networks_table
from dcase_system.reporting.run_files import Run, read_run
from dcase_system.reporting.run_page import label_table, part_table, verdicts
from dcase_system.reporting.run_variants import accuracy_interval, run_chance, variants_table
from dcase_system.reporting.run_warnings import result_warnings
from dcase_system.reporting.tables import as_text, note_text


def run_summary(run_dir: Path) -> str:
    """Summarizes accuracy by device group, device and variant, and costs against the limits."""
    run = read_run(run_dir)
    score, logloss, *_ = verdicts(run)
    interval = plain(accuracy_interval(run))
    known = f" ({interval})" if interval else ""
    chance = [text] if (text := plain(run_chance(run))) else []
    if run.several_labels:
        lines = [f"dev-test mean average precision {score.value} %{known}", *chance]
        lines += map(note_text, result_warnings(run))
        lines.append(as_text(label_table(run)))
    else:
        lines = [
            f"dev-test macro accuracy {score.value} %{known}, log loss {logloss.value}",
            *chance,
        ]
        lines += map(note_text, [*result_warnings(run), *rejection_notes(run)])
        lines += [line for part in ("device_group", "device") if (line := _by(run, part))]
    if run.is_device_specific:
        lines += ["", as_text(device_networks_table(run))]
    lines += [
        "",
        as_text(variants_table(run)),
        "",
        as_text(rules_table(run.complexity, [TARGET, EDITION])),
    ]
    return "\n".join(lines)


def _by(run: Run, part: str) -> str:
    """Returns the accuracy by device or group in a line; none if one device recorded all."""
    table = part_table(run, part)
    if len(run.scores.names("forms", run.submitted, "device_wise")) < 2:
        return ""
    found = ", ".join(f"{name} {accuracy}" for name, accuracy, *_ in table.rows)
    return note_text(Note(f"by {table.columns[0]}: {found}"))
