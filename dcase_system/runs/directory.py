"""Run directories: each holds one run, which resumes only with the settings it was started with.

`config.json` is the first file that a run writes, and the last to go when another run replaces it:
so a folder identifies its run at every moment.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError, visible
from dcase_system.core.files import emptied, is_temporary, locked, parse_json, read_json, write_json
from dcase_system.core.folders import refuse_file
from dcase_system.parallel.workers import team
from dcase_system.runs.provenance import provenance

CONFIG = "config.json"
FORMAT = 4
"""Format of run directories; incremented when the same settings would give other results."""
_LOCK = "lock"
# May be added to an existing run: no result that it has depends on them.
_MAY_COME_LATER = ("evaluation", "device_specific")
_MOST_SHOWN, _LONGEST_VALUE = 5, 60
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check(run_dir: Path, settings: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Refuses a folder that must not be written to, before any work; writes nothing.

    Args:
        run_dir: Run directory.
        settings: Settings that determine the results, as far as they are known; see `begun`.
        overwrite: Whether to replace an existing run.

    Raises:
        InputError: The folder holds a run with other settings or of another version, or files
            that are not a run.
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
    """Locks a run directory against other runs and writes the settings to its `config.json`.

    Args:
        run_dir: Run directory, created if missing.
        settings: Everything that determines the results, JSON-serialisable: the `kind` of run, its
            plan, and digests of its inputs. Settings without effect on results stay out.
        notes: Facts that follow from the settings, recorded beside them for readers of the run.
        overwrite: Whether to remove an existing run first, whatever its settings.

    Raises:
        InputError: See `check`; or another process is running in the folder.
    """
    if not team().is_chief:
        yield  # the chief locks for all workers
        return
    _check(run_dir, settings, overwrite)  # before a lock file is written to an unrelated folder
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
    """Joins a run that another process has started or is about to start.

    Args:
        run_dir: Run directory.
        settings: Settings as for `begun`.

    Raises:
        InputError: See `check`.
    """
    _check(run_dir, settings, overwrite=False)
    if not (run_dir / CONFIG).exists():
        _write_config(run_dir, settings)


def only_one(run_dir: Path) -> AbstractContextManager[None]:
    """Locks a folder against a second process.

    Raises:
        InputError: Another process is running in it.
    """
    if not team().is_chief:
        return nullcontext()  # the chief locks for all workers

    def refuse() -> None:
        raise InputError(
            "another run is using this directory", where=run_dir, expected="one run per directory"
        )

    return locked(run_dir / _LOCK, refuse)


def _check(
    run_dir: Path, settings: Mapping[str, Any], overwrite: bool, *, whole: bool = True
) -> None:
    refuse_file(run_dir)
    # Listed before the record is read: a run that starts meanwhile writes its record first.
    others = run_dir.is_dir() and [path.name for path in run_dir.iterdir() if not _is_free(path)]
    config = _recorded(run_dir)
    if config is None:
        if others:
            raise InputError(
                "folder is not empty and holds no run",
                where=run_dir,
                expected="a new or empty folder, or that of a run",
                received=", ".join(map(visible, sorted(others)[:_MOST_SHOWN])),
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
    """Removes the record of a run that was refused before it wrote anything else.

    Otherwise the next command, with corrected flags, would be refused for different settings.
    """
    if all(path.name == CONFIG or _is_free(path) for path in run_dir.iterdir()):
        (run_dir / CONFIG).unlink(missing_ok=True)


def _is_free(path: Path) -> bool:
    """Whether a file may exist in a folder without a run."""
    return path.name == _LOCK or is_temporary(path)


def _recorded(run_dir: Path) -> dict[str, Any] | None:
    """Returns the `config.json` of the run in a folder, or None if it holds no run."""
    try:
        config = read_json(run_dir / CONFIG)
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict) or "versions" not in config:
        return None
    return config if isinstance(config.get("settings"), dict) else None


def _differences(there: Any, here: Any, name: str, whole: bool) -> Iterator[str]:
    """Describes the differences between two values of a setting.

    Args:
        there: Recorded value.
        here: Value of this run.
        name: Name of the setting.
        whole: Whether a part that is missing in `here` counts as a difference.
    """
    if name in _MAY_COME_LATER and there is None:
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
    """Writes `config.json`: the settings, and where the run comes from."""
    write_json(run_dir / CONFIG, {"format": FORMAT, "settings": dict(settings), **provenance()})
