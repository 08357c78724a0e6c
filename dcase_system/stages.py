"""Run directories: stage after stage, each written whole and redone only if its inputs change."""

import importlib.metadata
import logging
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dcase_system.errors import InputError
from dcase_system.files import fingerprint, locked, read_json, replacing_directory, write_json
from dcase_system.workers import team

_LOG = logging.getLogger(__name__)
_RECORD = "stage.json"
_PACKAGES = (
    "tensorflow",
    "keras",
    "tensorflow-model-optimization",
    "numpy",
    "pandas",
    "scipy",
    "soundfile",
    "soxr",
    "absl-py",
    "optuna",
)


def run_stage(
    directory: Path,
    inputs: Mapping[str, Any],
    work: Callable[[Path], None],
    *,
    together: bool = False,
) -> str:
    """Calls `work(temporary directory)` unless `directory` already holds the result of `inputs`.

    Args:
        directory: of the stage's artefacts; replaced whole when the work is done.
        inputs: all that decides the result, JSON-serialisable; for an earlier stage its key.
        work: writes the artefacts.
        together: whether all workers of the team do it, of which only the chief's artefacts are
            kept; else the chief does it, and the others wait.

    Returns:
        The stage's key, by which later stages name it among their inputs.

    Raises:
        InputError: another worker is at another stage, or lost.
    """
    key, own, done = _key(directory, inputs), team(), is_done(directory, inputs)
    if own.from_chief(done, key, f"inputs of {directory.name}"):
        _LOG.info("%s: done before, kept", directory)
        return key
    if own.is_chief:
        with replacing_directory(directory) as temporary:
            work(temporary)
            write_json(temporary / _RECORD, {"key": key, "inputs": dict(inputs)})
    elif together:
        with tempfile.TemporaryDirectory() as unused:
            work(Path(unused))
    own.meet()
    return key


def is_done(directory: Path, inputs: Mapping[str, Any]) -> bool:
    """Whether a directory holds the result of a stage with these inputs; see `run_stage`."""
    return read_stage(directory).get("key") == _key(directory, inputs)


def _key(directory: Path, inputs: Mapping[str, Any]) -> str:
    return fingerprint({"stage": directory.name, **inputs})


def run_training(
    directory: Path,
    inputs: Mapping[str, Any],
    train: Callable[[Path, Path], None],
) -> str:
    """A stage that calls `train(temporary directory, checkpoint)` and may be interrupted.

    The checkpoint is named by all that decides the training, so that no other training is ever
    resumed from it; it is removed when the stage is done.

    Args:
        directory: see `run_stage`.
        inputs: see `run_stage`.
        train: writes the artefacts; renews the checkpoint on its way, and begins from it if it is
            there.

    Returns:
        The stage's key.

    Raises:
        InputError: see `run_stage`.
    """
    own = team()

    def work(temporary: Path) -> None:
        with own.scope(), own.losses_told():
            train(temporary, checkpoint)

    checkpoints = directory.parent / "checkpoints"
    checkpoint = checkpoints / f"{directory.name}-{fingerprint(inputs)[:16]}.npz"
    key = run_stage(directory, inputs, work, together=True)
    if not own.is_chief:
        return key
    # Only its own: a later stage that was interrupted has its checkpoint there too.
    for done in checkpoints.glob(f"{directory.name}-*"):
        done.unlink()
    if checkpoints.is_dir() and not any(checkpoints.iterdir()):
        checkpoints.rmdir()
    return key


def read_stage(directory: Path) -> dict[str, Any]:
    """The `key` and `inputs` of a finished stage; nothing if it is not finished."""
    try:
        record = read_json(directory / _RECORD)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def only_one(run_dir: Path) -> AbstractContextManager[None]:
    """Holds a run directory against a second run.

    Raises:
        InputError: another process is running in it.
    """
    if not team().is_chief:
        return nullcontext()  # the chief holds it for all

    def refuse() -> None:
        raise InputError(
            "another run is at work here", where=run_dir, expected="one run a directory"
        )

    return locked(run_dir / "lock", refuse)


def write_config(run_dir: Path, settings: Mapping[str, Any]) -> None:
    """Writes `config.json`: the settings, the command, the versions and the state of the code."""
    if not team().is_chief:
        return
    versions = {"python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    config = {
        "command": sys.argv,
        "settings": dict(settings),
        "versions": versions,
        "code": _code_state(),
    }
    write_json(run_dir / "config.json", config)


def provenance(run_dir: Path) -> str:
    """One line for a report: the seeds, the versions and the code that a run was made with.

    Raises:
        InputError: the directory has no `config.json`, or one of something else.
    """
    path = run_dir / "config.json"
    try:
        config = read_json(path)
        code, versions = config["code"], config["versions"]
        seeds = sorted(set(_seeds(config["settings"])))
        commit = code["commit"] or "unknown"
        state = {True: ", changed since", False: "", None: ""}[code["dirty"]]
        stated = [f"{name} {version}" for name, version in versions.items()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"not the configuration of a run ({error!r})", where=path) from error
    return f"seed {', '.join(map(str, seeds))}; commit {commit}{state}; {', '.join(stated)}"


def _seeds(settings: Any) -> Iterator[int]:
    """What is called `seed` anywhere in the settings."""
    for name, value in settings.items() if isinstance(settings, dict) else ():
        if name == "seed" and isinstance(value, int):
            yield value
        yield from _seeds(value)


def _code_state() -> dict[str, Any]:
    """Commit of the checkout this package lies in, and whether it was changed since."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}  # installed without its repository
