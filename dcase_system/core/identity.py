"""Identifies the code by its sources and package versions, for comparison between machines."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Folder of the packages."""
PACKAGES = ("dcase_system", "recipes")
# Packages that determine the exact result of a training.
_RUNS_ON = ("tensorflow", "keras", "numpy")


def identity() -> dict[str, str]:
    """Returns a digest of the sources, and `versions`."""
    return {"sources": _sources(), **versions()}


def versions() -> dict[str, str]:
    """Versions of Python and the packages that determine the exact result of a training."""
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in _RUNS_ON
    }


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Describes how two machines differ; empty if they match."""
    names = [name for name in here if here[name] != there.get(name)]
    return ", ".join(f"{name} {there.get(name)} for {here[name]}" for name in names)


@lru_cache
def _sources() -> str:
    found = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]
