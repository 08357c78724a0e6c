"""Known vulnerabilities of the installed packages, from a folder of advisories.

    python -m tests.robustness.advisories FOLDER

For machines that reach no advisory service (`make audit` asks one). The folder holds files in the
OSV format, YAML or JSON: a checkout of github.com/pypa/advisory-database, or OSV's PyPI/all.zip
unpacked. Exits with 1 if a package that is installed is affected. A copy knows nothing of what was
found after it was made: its newest date is printed.
"""

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from dcase_system.reporting.tables import markdown
from tests.robustness.licences import canonical


def advisories(folder: Path) -> Iterator[dict[str, Any]]:
    """All that are not withdrawn."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix in (".yaml", ".yml"):
            content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        else:
            continue
        if isinstance(content, dict) and "affected" in content and not content.get("withdrawn"):
            yield content


def affects(affected: Mapping[str, Any], version: str) -> bool:
    """Whether a version is listed, or lies in a range of versions."""
    ranges = [one for one in affected.get("ranges", []) if one["type"] == "ECOSYSTEM"]
    return version in affected.get("versions", []) or any(
        _within(one["events"], Version(version)) for one in ranges
    )


def _within(events: list[dict[str, str]], version: Version) -> bool:
    """By OSV's rule: the last event at or below the version decides."""
    inside = False
    for event in events:
        ((kind, given),) = event.items()
        try:
            at = Version(given)
        except InvalidVersion:
            continue
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def rows(folder: Path, installed: Mapping[str, str]) -> tuple[list[dict[str, str]], str, int]:
    """A row for each advisory about an installed version; newest date and number of all."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    newest, count = "", 0
    for advisory in advisories(folder):
        count += 1
        newest = max(newest, str(advisory.get("modified", ""))[:10])
        for affected in advisory["affected"]:
            package = affected.get("package", {})
            name = canonical(str(package.get("name", "")))
            if package.get("ecosystem") != "PyPI" or name not in installed:
                continue
            if affects(affected, installed[name]):
                others = " ".join(advisory.get("aliases", []))
                row = {"package": name, "version": installed[name], "advisory": advisory["id"]}
                found[name, advisory["id"]] = row | {"also known as": others}
    return [found[key] for key in sorted(found)], newest, count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    packages = importlib.metadata.distributions()
    installed = {canonical(one.metadata["Name"]): one.version for one in packages}
    found, newest, count = rows(folder, installed)
    if not count:
        print(f"error: {folder}: no advisories; expected OSV files, YAML or JSON", file=sys.stderr)
        return 2
    print(f"{len(installed)} packages, {count:,} advisories, the newest of {newest}\n")
    print(markdown(found) if found else "none of them is about an installed version\n", end="")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
