"""What was found in the recordings of a user, before anything is trained."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from dcase_system.sounds.recordings import PARTS
from dcase_system.sounds.scanning import Scanned

_IMBALANCED = 5  # times as many windows
_FEW_GROUPS = 3
_MOST_SHOWN = 10  # lines of one kind


def summarised(
    everything: Sequence[Scanned], kept: Sequence[Scanned], copies: Sequence[str]
) -> dict[str, Any]:
    """Summarises the recordings by class, with a line for whatever is doubtful.

    Args:
        everything: All recordings, as they were read.
        kept: Those that are used, with their parts.
        copies: Lines about recordings left out as copies.
    """
    classes = []
    for label in sorted({label for one in everything for label in one.recording.labels}):
        of_class = [one for one in everything if label in one.recording.labels]
        used = [one for one in kept if label in one.recording.labels]
        windows = Counter[str]()
        for one in used:
            windows[one.recording.part] += len(one.windows)
        classes.append(
            {
                "label": label,
                "recordings": len(of_class),
                "used": len(used),
                "groups": len({one.recording.group for one in used}),
                "minutes": sum(one.seconds for one in used) / 60,
                **{part: windows[part] for part in PARTS},
            }
        )
    return {
        "classes": classes,
        "several_labels": sum(len(one.recording.labels) > 1 for one in everything),
        "sample_rates": dict(Counter(str(one.sample_rate) for one in everything if one.seconds)),
        "channels": dict(Counter(str(one.channels) for one in everything if one.seconds)),
        "unreadable": [one.notes[0] for one in everything if not one.seconds and one.notes],
        "silent": _with(everything, "silent"),
        "too short": _with(everything, "too short"),
        "clipped": _with(everything, "clipped"),
        "copies": list(copies),
        "warnings": _warnings(classes),
    }


def as_text(summary: Mapping[str, Any]) -> str:
    """Formats a summary for a terminal."""
    classes = summary["classes"]
    parts = [part for part in PARTS if any(row[part] for row in classes)]
    columns = ["recordings", "used", "groups", "minutes", *parts]
    rows = [[row["label"], *(row[name] for name in columns)] for row in classes]
    table = tabulate(rows, ["class", *columns], floatfmt=".1f")
    lines = [f"Recordings, and windows in {' and '.join(parts)}:", "", table]
    found = ", ".join(
        f"{int(rate):,} Hz: {count}" for rate, count in summary["sample_rates"].items()
    )
    channels = ", ".join(f"{name}: {count}" for name, count in summary["channels"].items())
    if several := summary["several_labels"]:
        lines += ["", f"{several} recordings have several labels, and count for each of them"]
    lines += ["", f"sample rates: {found}; channels: {channels}"]
    if all(row["groups"] == row["used"] for row in classes):
        lines.append("each recording is a group; --group_pattern keeps those of one place together")
    for name in ("unreadable", "silent", "too short", "clipped", "copies"):
        these = summary[name]
        if these:
            lines += [f"{name}: {len(these)}", *(f"  {line}" for line in these[:_MOST_SHOWN])]
        if len(these) > _MOST_SHOWN:
            lines.append(f"  and {len(these) - _MOST_SHOWN} more, see the summary file")
    return "\n".join([*lines, *(f"Warning: {line}" for line in summary["warnings"])])


def _with(everything: Sequence[Scanned], note: str) -> list[str]:
    return [str(one.recording) for one in everything if note in one.notes]


def _warnings(classes: Sequence[Mapping[str, Any]]) -> list[str]:
    warnings = []
    for row in classes:
        label = row["label"]
        if not row["used"]:
            warnings.append(f"class {label!r} has no usable recording and is left out")
        elif not row["train"]:
            warnings.append(f"class {label!r} has no recording to train on")
        elif not row["test"]:
            warnings.append(f"class {label!r} has no recording to test on: it has {row['groups']}")
        elif row["groups"] < _FEW_GROUPS:
            warnings.append(f"class {label!r} has {row['groups']} recordings or groups only")
    sizes = {row["label"]: row["train"] for row in classes if row["train"]}
    if sizes and max(sizes.values()) > _IMBALANCED * min(sizes.values()):
        most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
        warnings.append(
            f"classes are imbalanced: {most!r} has {sizes[most]:,} training windows, "
            f"{least!r} {sizes[least]:,}; --balanced draws all classes equally often"
        )
    return warnings
