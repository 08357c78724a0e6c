"""Where a run comes from: its command, the versions of packages, and the state of the code."""

import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from dcase_system.core.identity import PACKAGES

_PACKAGES = (
    "tensorflow",
    "keras",
    "tensorflow-model-optimization",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "soundfile",
    "soxr",
    "absl-py",
    "optuna",
)


def provenance() -> dict[str, Any]:
    """Returns the `command`, `versions` and `code` of this process, for `config.json`."""
    versions = {"python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"command": sys.argv, "versions": versions, "code": _code_state()}


def _code_state() -> dict[str, Any]:
    """Commit of the checkout that holds this package, and whether its code has local changes."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # Results and notes that a user keeps in the checkout are no changes.
        changes = git("status", "--porcelain", "--", *(f":/{name}" for name in PACKAGES))
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changes)}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}  # installed without its repository
