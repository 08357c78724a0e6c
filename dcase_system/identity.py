"""Which code this is: the sources and what they run on, to compare between machines.

    python -m dcase_system.identity [FILE]

prints it as JSON, with the first line of the file: so a machine shows that it sees it.
"""

import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("dcase_system", "recipes")
# What decides the bytes of a training.
_RUNS_ON = ("tensorflow", "keras", "numpy")


def identity() -> dict[str, str]:
    """A digest of the sources, and versions; all strings."""
    return {"sources": _sources(), "python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in _RUNS_ON
    }


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What two machines do not have in common, in words; empty if they are alike."""
    names = [name for name in here if here[name] != there.get(name)]
    return ", ".join(f"{name} {there.get(name)} for {here[name]}" for name in names)


@lru_cache
def _sources() -> str:
    found = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            found.update(f"{path.relative_to(_ROOT).as_posix()}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]


def _first_line(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[0]
    except (OSError, ValueError, IndexError):
        return None


if __name__ == "__main__":
    found = {"identity": identity(), "token": _first_line(sys.argv[1]) if sys.argv[1:] else None}
    sys.stdout.write(json.dumps(found))
