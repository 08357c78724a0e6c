"""Assigns the entries of a package to systems and files."""

import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from dcase_system.core.errors import defect, shown
from dcase_system.corpora import tau
from dcase_system.submission.archive import printable, unsafe_defects
from dcase_system.submission.fields import LABEL
from dcase_system.submission.package import (
    MAX_SYSTEMS,
    REPORT_SUFFIX,
    TASK,
    meta_name,
    output_name,
)

_FILE = re.compile(r"(?P<stem>[^/]*?)\.(?:output\.split_(?P<split>[0-9]+)\.csv|meta\.yaml)")
_EXPECTED = (
    f"{TASK}/<label>/<label>.meta.yaml, {TASK}/<label>/<label>.output.split_<percent>.csv"
    f" or {TASK}/<name>{REPORT_SUFFIX}"
)


@dataclass
class SystemEntries:
    """Entries of one directory that look like meta or output files (by split percentage)."""

    metas: list[zipfile.ZipInfo] = field(default_factory=list)
    outputs: dict[str, list[zipfile.ZipInfo]] = field(default_factory=dict)


@dataclass
class Layout:
    """Contents of a package: systems by directory, technical reports, and errors."""

    systems: dict[str, SystemEntries] = field(default_factory=dict)
    reports: list[zipfile.ZipInfo] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def sort_entries(entries: Sequence[zipfile.ZipInfo], splits: Sequence[int]) -> Layout:
    """Sorts the entries of a package; unsafe, repeated and unexpected ones become errors."""
    known = {str(split) for split in (*tau.SPLITS, *splits)}
    layout = Layout()
    seen: set[str] = set()
    for entry in entries:
        # File systems that ignore case would unpack one of two such entries over the other.
        key = entry.filename.casefold()
        unsafe = list(unsafe_defects(entry))
        if key in seen:
            layout.errors.append(defect(printable(entry.filename), "entry is listed twice"))
        elif unsafe:
            layout.errors += unsafe
        else:
            layout.errors += _place(entry, layout, known)
        seen.add(key)
    if not 1 <= len(layout.systems) <= MAX_SYSTEMS:
        layout.errors.append(
            defect(
                f"{TASK}/",
                "wrong number of systems",
                expected=f"1 to {MAX_SYSTEMS}",
                received=len(layout.systems),
            )
        )
    return layout


def _place(entry: zipfile.ZipInfo, layout: Layout, known: Collection[str]) -> Iterator[str]:
    where = printable(entry.filename)
    parts = entry.filename.removesuffix("/").split("/")
    if parts[0] != TASK:
        yield defect(where, "wrong first folder", expected=f"{TASK}/", received=shown(parts[0]))
        return
    if entry.is_dir():
        # An empty folder for a system is a system whose files are all missing.
        if len(parts) == 2:
            layout.systems.setdefault(parts[1], SystemEntries())
        elif len(parts) > 2:
            yield defect(where, "unexpected folder", expected=_EXPECTED)
        return
    if len(parts) in (2, 3) and parts[-1].endswith(REPORT_SUFFIX):
        layout.reports.append(entry)
        return
    match = _FILE.fullmatch(parts[-1])
    if len(parts) != 3 or not match or match["split"] not in (None, *known):
        yield defect(where, "unexpected file", expected=_EXPECTED)
        return
    system = layout.systems.setdefault(parts[1], SystemEntries())
    if match["split"]:
        system.outputs.setdefault(match["split"], []).append(entry)
    else:
        system.metas.append(entry)
    if match["stem"] != parts[1]:
        yield defect(
            where,
            "file name differs from the submission label of its directory",
            expected=printable(parts[1]),
            received=printable(match["stem"]),
        )


def system_defects(label: str, system: SystemEntries, splits: Sequence[int]) -> Iterator[str]:
    """Checks the name of a system's directory, and that each of its files exists once."""
    where = f"{TASK}/{printable(label)}/"
    if not LABEL.fullmatch(label):
        yield defect(
            where,
            "submission label of the directory is malformed",
            expected="<lastname>_<institute>_task1_<1-4>",
            received=shown(label),
        )
    wanted = {meta_name(label): system.metas}
    wanted |= {output_name(label, split): system.outputs.get(str(split), []) for split in splits}
    for name, entries in wanted.items():
        if not entries:
            yield defect(where + printable(name), "file is missing")
    for entries in (system.metas, *system.outputs.values()):
        if len(entries) > 1:
            names = ", ".join(printable(entry.filename) for entry in entries)
            yield defect(where, "more than one file of a kind", expected="one", received=names)
