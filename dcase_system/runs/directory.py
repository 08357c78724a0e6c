"""Run directories: each holds one run, and goes on only with the settings that it was begun with.

`config.json` is the first file that a run writes, and the last one that is removed of a run that
another one replaces: so a folder says whose it is at every moment.
"""

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError
from dcase_system.core.files import emptied, is_temporary, locked, parse_json, read_json, write_json
from dcase_system.parallel.workers import team

CONFIG = "config.json"
FORMAT = 2
"""Of a run directory: raised where the same settings would give other results than before."""
_LOCK = "lock"
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
# May be added to a run: nothing that is there depends on it.
_MAY_COME_LATER = "evaluation"
_MOST_SHOWN, _LONGEST_VALUE = 5, 60
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check(run_dir: Path, settings: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Refuses a folder that a run may not be written to, before any work; writes nothing.

    Args:
        run_dir: of the run.
        settings: what decides its results, as far as it is known yet; see `begun`.
        overwrite: whether the run that is there is to be replaced.

    Raises:
        InputError: the folder holds a run with other settings or of another version, or files
            that are no run.
    """
    _check(run_dir, settings, overwrite, whole=False)


@contextmanager
def begun(
    run_dir: Path,
    settings: Mapping[str, Any],
    *,
    notes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Iterator[None]:
    """Holds a run directory against a second run, with the settings in its `config.json`.

    Args:
        run_dir: of the run; made if absent.
        settings: everything that decides the results, JSON-serialisable: the `kind` of run, its
            plan, and digests of what it reads. What does not change them is not among them.
        notes: written down beside them for whoever reads the run; what follows from the settings.
        overwrite: whether the run that is there is removed first, whatever its settings are.

    Raises:
        InputError: as `check`; or another process is running in the folder.
    """
    if not team().is_chief:
        yield  # the chief does it for all
        return
    _check(run_dir, settings, overwrite)  # before its lock is put into a folder of something else
    with only_one(run_dir):
        _check(run_dir, settings, overwrite)
        if overwrite:
            emptied(run_dir, keep=_LOCK, last=CONFIG)
        _write_config(run_dir, {**settings, **(notes or {})})
        try:
            yield
        except InputError:
            _forget(run_dir)
            raise


def join(run_dir: Path, settings: Mapping[str, Any]) -> None:
    """Takes part in a run that another process has begun or is about to begin.

    Args:
        run_dir: of the run.
        settings: as of `begun`.

    Raises:
        InputError: as `check`.
    """
    _check(run_dir, settings, overwrite=False)
    if not (run_dir / CONFIG).exists():
        _write_config(run_dir, settings)


def only_one(run_dir: Path) -> AbstractContextManager[None]:
    """Holds a folder against a second process.

    Raises:
        InputError: another process is running in it.
    """
    if not team().is_chief:
        return nullcontext()  # the chief holds it for all

    def refuse() -> None:
        raise InputError(
            "another run is at work here", where=run_dir, expected="one run a directory"
        )

    return locked(run_dir / _LOCK, refuse)


def provenance(run_dir: Path) -> str:
    """One line for a report: the seeds, the versions and the code that a run was made with.

    Raises:
        InputError: the directory has no `config.json`, or one of something else.
    """
    path = run_dir / CONFIG
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


def _check(
    run_dir: Path, settings: Mapping[str, Any], overwrite: bool, *, whole: bool = True
) -> None:
    # Listed before the record is read: it is the first file of a run that is just being begun.
    others = run_dir.is_dir() and [path.name for path in run_dir.iterdir() if not _is_free(path)]
    config = _recorded(run_dir)
    if config is None:
        if others:
            raise InputError(
                "folder is not empty and holds no run",
                where=run_dir,
                expected="a new or empty folder, or that of a run",
                received=", ".join(sorted(others)[:_MOST_SHOWN]),
            )
        return
    if overwrite:
        return
    ways_out = "--overwrite, which replaces that run, or another --output_dir"
    if config.get("format") != FORMAT:
        raise InputError(
            "folder holds a run of another version of this package, which cannot be resumed",
            where=run_dir,
            expected=ways_out,
        )
    recorded, now = config["settings"], parse_json(_json(settings))
    found = [
        difference
        for name, value in now.items()
        for difference in _differences(recorded.get(name), value, name, whole)
    ]
    if found:
        more = f", and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        raise InputError(
            f"folder holds a run with other settings: {', '.join(found[:_MOST_SHOWN])}{more}",
            where=run_dir,
            expected=f"the same settings, {ways_out}",
        )


def _forget(run_dir: Path) -> None:
    """Removes the record of a run that was refused before it had made anything.

    The next command, with better flags, would be refused otherwise for settings that differ.
    """
    if all(path.name == CONFIG or _is_free(path) for path in run_dir.iterdir()):
        (run_dir / CONFIG).unlink(missing_ok=True)


def _is_free(path: Path) -> bool:
    """Whether a file may be in a folder that no run has been begun in."""
    return path.name == _LOCK or is_temporary(path)


def _recorded(run_dir: Path) -> dict[str, Any] | None:
    """The `config.json` of the run in a folder, or None if it holds none."""
    try:
        config = read_json(run_dir / CONFIG)
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict) or "versions" not in config:
        return None
    return config if isinstance(config.get("settings"), dict) else None


def _differences(there: Any, here: Any, name: str, whole: bool) -> Iterator[str]:
    """In words, what two values of a setting do not have in common.

    Args:
        there: the value that was recorded.
        here: the value of this run.
        name: of the setting.
        whole: whether a part that `here` does not have is a difference.
    """
    if name == _MAY_COME_LATER and there is None:
        return
    if isinstance(there, dict) and isinstance(here, dict):
        for part in [*here, *(part for part in there if whole and part not in here)]:
            yield from _differences(there.get(part), here.get(part), f"{name}.{part}", whole)
    elif _are_rows(there) and _are_rows(here) and len(there) == len(here):
        for number, (one, other) in enumerate(zip(there, here, strict=True), 1):
            yield from _differences(one, other, f"{name}.{number}", whole)
    elif there != here:
        yield f"{name} is {_shown(there)} there and {_shown(here)} here"


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return value[:12] if _DIGEST.fullmatch(value) else value
    text = _json(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 4]} ..."


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write_config(run_dir: Path, settings: Mapping[str, Any]) -> None:
    """Writes `config.json`: the settings, the command, the versions and the state of the code."""
    versions = {"python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    config = {
        "format": FORMAT,
        "command": sys.argv,
        "settings": dict(settings),
        "versions": versions,
        "code": _code_state(),
    }
    write_json(run_dir / CONFIG, config)


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
