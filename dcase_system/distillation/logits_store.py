"""The logits of one teacher for every clip of a split, in a self-describing file.

A store records whose logits it holds (the teacher's fingerprint), for which clips and in which
class order. A mismatch with the current run is rejected: a stale teacher, another split's clips
or another class order would silently train a student on nonsense.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ValidationError
from safetensors.numpy import save

from dcase_system.core.arrays import read_arrays
from dcase_system.core.errors import InputError, visible
from dcase_system.core.files import replacing

_LOGITS, _HEADER = "logits", "store"


# Arrays have no single truth value, so stores cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class LogitsStore:
    """Logits of one teacher.

    Attributes:
        teacher: Fingerprint of the teacher: its spec, training and clips.
        split: Percentage of the training list that the teacher was trained on.
        scenes: Class of each column.
        filenames: Clip of each row.
        logits: Float32, (clips, classes).
        trained: Whether the teacher was trained on each clip, for teachers by folds; None if it
            was trained on all that were not held out.
    """

    teacher: str
    split: int
    scenes: tuple[str, ...]
    filenames: tuple[str, ...]
    logits: np.ndarray
    trained: tuple[bool, ...] | None = None


class _Header(BaseModel, strict=True, extra="forbid"):
    """The file's header, which describes the logits."""

    teacher: str
    split: int
    scenes: tuple[str, ...]
    filenames: tuple[str, ...]
    trained: tuple[bool, ...] | None = None


def write_logits(path: str | Path, store: LogitsStore) -> None:
    """Atomically writes a store as a `.safetensors` file.

    Raises:
        InputError: The logits are not finite or do not have the shape clips x classes.
    """
    expected = (len(store.filenames), len(store.scenes))
    if store.logits.shape != expected or not np.isfinite(store.logits).all():
        raise InputError(
            "logits cannot be stored",
            where=path,
            expected=f"finite values of shape {expected}",
            received=f"shape {store.logits.shape}",
        )
    header = {name: getattr(store, name) for name in _Header.model_fields}
    if store.trained is None:
        del header["trained"]
    # One text field: with several, the order would differ from file to file.
    content = save({_LOGITS: store.logits.astype(np.float32)}, {_HEADER: json.dumps(header)})
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_logits(
    path: str | Path,
    *,
    split: int,
    scenes: Sequence[str],
    filenames: Sequence[str],
    teacher: str | None = None,
) -> LogitsStore:
    """Reads a store and checks that it matches the run.

    Args:
        path: File of the store.
        split: Percentage that the teacher must have been trained on.
        scenes: Class order of the run.
        filenames: Clips of the run; the store's rows are reordered to match.
        teacher: Fingerprint of the teacher, if known.

    Raises:
        InputError: The file is missing, not a store, or of another teacher, split, class order or
            set of clips.
    """
    store = _load(Path(path))
    if teacher is not None and store.teacher != teacher:
        raise InputError(
            "logits belong to another teacher",
            where=path,
            expected=f"fingerprint {teacher[:12]}",
            received=store.teacher[:12],
        )
    if store.split != split:
        raise InputError(
            "logits come from a teacher trained on another split",
            where=path,
            expected=f"split {split}",
            received=f"split {store.split}",
        )
    if store.scenes != tuple(scenes):
        raise InputError(
            "logits have another class order",
            where=path,
            expected=", ".join(map(visible, scenes)),
            received=", ".join(map(visible, store.scenes)),
        )
    row_of = {filename: row for row, filename in enumerate(store.filenames)}
    missing = [filename for filename in filenames if filename not in row_of]
    if missing or len(row_of) != len(filenames):
        raise InputError(
            "logits belong to other clips",
            where=path,
            expected=f"{len(filenames)} clips" + (f", {missing[0]} among them" if missing else ""),
            received=f"{len(row_of)} clips",
        )
    rows = [row_of[filename] for filename in filenames]
    return replace(
        store,
        filenames=tuple(filenames),
        logits=store.logits[np.array(rows, np.int64)],
        trained=store.trained and tuple(store.trained[row] for row in rows),
    )


def _load(path: Path) -> LogitsStore:
    try:
        arrays, texts = read_arrays(path)
        header = _Header.model_validate_json(texts.get(_HEADER, ""))
    except FileNotFoundError as error:
        if path.with_suffix(".npz").is_file():
            raise InputError(
                "logits were stored by an earlier version",
                where=path.with_suffix(".npz"),
                expected=f"{path.name}: run the teachers' recipe again, or import the logits again",
            ) from error
        raise InputError("logits store is missing", where=path) from error
    except ValidationError as error:
        expected = ", ".join(_Header.model_fields)
        raise InputError("not a logits store", where=path, expected=expected) from error
    except ValueError as error:
        raise InputError(f"not a logits store ({error})", where=path) from error
    logits = arrays.get(_LOGITS, np.empty(0))
    shape = (len(header.filenames), len(header.scenes))
    if logits.shape != shape or logits.dtype != np.float32 or not np.isfinite(logits).all():
        raise InputError("logits store is damaged", where=path, received=f"shape {logits.shape}")
    if header.trained is not None and len(header.trained) != len(header.filenames):
        raise InputError(
            "logits store is damaged",
            where=path,
            expected=f"{len(header.filenames)} clips in `trained`",
            received=len(header.trained),
        )
    return LogitsStore(**dict(header), logits=logits)
