"""The stages of a run: sequential, written atomically, redone only if their inputs change."""

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dcase_system.core.files import fingerprint, read_json, replacing_directory, write_json
from dcase_system.parallel.workers import team

_LOG = logging.getLogger(__name__)
_RECORD = "stage.json"


def run_stage(
    directory: Path,
    inputs: Mapping[str, Any],
    work: Callable[[Path], None],
    *,
    together: bool = False,
) -> str:
    """Calls `work(temporary directory)` unless `directory` already holds the result of `inputs`.

    Args:
        directory: Directory of the stage's artefacts; replaced as a whole when the work is done.
        inputs: Everything that determines the result, JSON-serialisable; an earlier stage is
            represented by its key.
        work: Writes the artefacts.
        together: Whether all workers of the team do the work, of which only the chief's artefacts
            are kept; otherwise the chief works and the others wait.

    Returns:
        The stage's key, which later stages list among their inputs.

    Raises:
        InputError: Another worker is at a different stage, or was lost.
    """
    key, own, done = _key(directory, inputs), team(), is_done(directory, inputs)
    if own.broadcast_checked(done, key, f"inputs of {directory.name}"):
        _LOG.info("%s: already done, skipped", directory)
        return key
    if own.is_chief:
        with replacing_directory(directory) as temporary:
            work(temporary)
            write_json(temporary / _RECORD, {"key": key, "inputs": dict(inputs)})
    elif together:
        with tempfile.TemporaryDirectory() as unused:
            work(Path(unused))
    own.barrier()
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
    """Runs a stage that calls `train(temporary directory, checkpoint)` and can be resumed.

    The name of the checkpoint depends on all inputs of the training, so that no other training
    resumes from it; it is removed when the stage is done.

    Args:
        directory: See `run_stage`.
        inputs: See `run_stage`.
        train: Writes the artefacts; updates the checkpoint during training, and resumes from it
            if it exists.

    Returns:
        The stage's key.

    Raises:
        InputError: See `run_stage`.
    """
    own = team()

    def work(temporary: Path) -> None:
        with own.scope(), own.translate_worker_errors():
            train(temporary, checkpoint)

    checkpoints = directory.parent / "checkpoints"
    checkpoint = checkpoints / f"{directory.name}-{fingerprint(inputs)[:16]}.safetensors"
    key = run_stage(directory, inputs, work, together=True)
    if not own.is_chief:
        return key
    # Only its own: an interrupted later stage has its checkpoint there too.
    for done in checkpoints.glob(f"{directory.name}-*"):
        done.unlink()
    if checkpoints.is_dir() and not any(checkpoints.iterdir()):
        checkpoints.rmdir()
    return key


def read_stage(directory: Path) -> dict[str, Any]:
    """Returns the `key` and `inputs` of a finished stage; an empty dict if it is not finished."""
    try:
        record = read_json(directory / _RECORD)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
