"""The licence of every package that is installed, as a Markdown table.

    python -m tests.robustness.licences > LICENCES.md

What a package says of itself: its licence expression, else its classifiers, else its free text.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

from dcase_system.reporting.tables import markdown
from tests.commands import ROOT

_REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-edge.txt")
_REQUIREMENTS += ("requirements-parity.txt", "requirements-cluster.txt", "requirements-fuzz.txt")
_OWN = "dcase-system"


def canonical(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> dict[str, str]:
    """The file that asks for each package by name."""
    found: dict[str, str] = {}
    for file in _REQUIREMENTS:
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            if matched := re.match(r"([\w.-]+)==", line):
                found.setdefault(canonical(matched[1]), file)
    return found


def licence(package: importlib.metadata.Distribution) -> str:
    """Returns the licence that a package states, in a few words."""
    expression = package.metadata.get("License-Expression")
    prefix = "License :: "
    classifiers = [
        entry.split(" :: ")[-1]
        for entry in package.metadata.get_all("Classifier") or []
        if entry.startswith(prefix) and entry != f"{prefix}OSI Approved"
    ]
    text = (package.metadata.get("License") or "").strip().splitlines()
    return expression or ", ".join(classifiers) or (text[0][:80] if text else "not stated")


def rows() -> list[dict[str, str]]:
    """A row for each installed package, in the order of their names."""
    asked = required()
    packages = {canonical(one.metadata["Name"]): one for one in importlib.metadata.distributions()}
    return [
        {
            "package": name,
            "version": package.version,
            "licence": licence(package),
            "asked for by": asked.get(name, "another package"),
        }
        for name, package in sorted(packages.items())
        if name != _OWN
    ]


def main() -> int:
    print("# Licences of what is installed\n")
    print(f"As each package states it; written by `python -m {__spec__.name}`.\n")
    print(markdown(rows()), end="")
    page = Path("dcase_system/edge/page/built")
    print(f"\nThe page for the browser holds LiteRT, see `{page}/LICENSE-litert.txt` (Apache-2.0).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
