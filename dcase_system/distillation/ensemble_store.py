"""A folder of teachers: the logits store of each member, and the list of members.

    ensemble.json                      split, scenes, validation fraction, members' fingerprints
    <member>/logits/train.safetensors  the member's logits store
    <member>/network/                  the member's network, which imported logits lack

A student takes such a folder. The list holds each member's fingerprint, so a store left or replaced
by another training is not mistaken for the member's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, read_json, write_json
from dcase_system.core.folders import refuse_file
from dcase_system.distillation.ensemble import Average, ensemble_logits
from dcase_system.distillation.logits_store import LogitsStore, read_logits

_NAME = re.compile(r"\w[\w .,+-]*")
_LIST = "ensemble.json"
TRAIN_LOGITS = "train.safetensors"
_DESCRIBED = ("train", "out_of_fold", "dev_test")  # lists of clips


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The teachers of a student.

    Attributes:
        key: Fingerprint that changes when a member does.
        members: Names of the members.
        external_data: External data the members use, in the words of the meta file.
        logits: Each member's logits for the student's training clips, (clips, classes), by name.
        trained: Whether a member was trained on each clip, bool (clips,), by name; None unless the
            members were trained by folds.
        networks: Folder of each member's network, with the fingerprint that it must have.
        description: Members' scores and agreement on each list of clips, for information.
    """

    key: str
    members: tuple[str, ...]
    external_data: tuple[str, ...]
    logits: Mapping[str, np.ndarray]
    trained: Mapping[str, np.ndarray] | None = None
    networks: Mapping[Path, str] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)

    def mean_logits(self, average: Average) -> np.ndarray:
        """Returns logits (clips, classes) for the student's training clips.

        With members by folds, a clip's are those of the members that were not trained on it.
        """
        used = self.trained and {member: ~rows for member, rows in self.trained.items()}
        return ensemble_logits(self.logits, average, used)


def network_folder(folder: Path, member: str) -> Path:
    """Folder of a member's network."""
    return folder / member / "network"


def logits_folder(folder: Path, member: str) -> Path:
    """Folder of a member's logits stores."""
    return folder / member / "logits"


def write_ensemble(
    folder: Path,
    members: Mapping[str, str],
    *,
    split: int,
    scenes: Sequence[str],
    validation_fraction: float,
    external_data: Sequence[str],
    description: Mapping[str, Any],
) -> None:
    """Writes the list of members; call it when every member's store exists.

    Args:
        folder: Folder of the ensemble.
        members: Fingerprint of each member, keyed by name.
        split: Percentage of the training list that all members were trained on.
        scenes: Class order of the logits.
        validation_fraction: Part of the list that no member was trained on.
        external_data: External data the members use, in the words of the meta file.
        description: `describe_ensemble` of each list of clips, for information.
    """
    content = {
        "split": split,
        "scenes": scenes,
        "validation_fraction": validation_fraction,
        "external_data": external_data,
        "members": dict(members),
        **description,
    }
    write_json(folder / _LIST, content)


def read_members(
    folder: Path,
    members: Mapping[str, str],
    name: str,
    *,
    split: int,
    scenes: Sequence[str],
    filenames: Sequence[str],
) -> dict[str, LogitsStore]:
    """Reads each member's store of this name.

    Args:
        folder: Folder of the ensemble.
        members: Fingerprint of each member, keyed by name.
        name: File name of the store, such as `TRAIN_LOGITS`.
        split: See `read_logits`.
        scenes: See `read_logits`.
        filenames: See `read_logits`.

    Raises:
        InputError: See `read_logits`.
    """
    return {
        member: read_logits(
            logits_folder(folder, member) / name,
            split=split,
            scenes=scenes,
            filenames=filenames,
            teacher=key,
        )
        for member, key in members.items()
    }


def read_ensemble(
    folder: Path,
    *,
    split: int,
    scenes: Sequence[str],
    filenames: Sequence[str],
    validation_fraction: float,
) -> Ensemble:
    """Reads the members' logits for a student's clips.

    Args:
        folder: Folder written by the teachers' recipe or by an import.
        split: Split of the student.
        scenes: Class order of the student.
        filenames: Training clips of the student, held-out ones included.
        validation_fraction: Part that the student holds out. No teacher may have been trained on
            these clips, because its logits would leak information about them.

    Raises:
        InputError: The folder holds no finished ensemble, or one of another split, class order or
            set of clips; a member's store is stale; teachers were trained on held-out clips; or
            all of them were trained on a clip by folds.
    """
    refuse_file(folder)
    path = folder / _LIST
    try:
        content = read_json(path)
        members, external_data = dict(content["members"]), tuple(content["external_data"])
        held_out = float(content["validation_fraction"])
        # A name becomes a folder; one with a slash in it could lead outside.
        names = [*members, *members.values(), *external_data]
        if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
            raise ValueError("invalid names of members or data")
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise InputError(
            f"not a folder of finished teachers ({error!r})", where=path, expected=_LIST
        ) from error
    if validation_fraction not in (0.0, held_out):
        raise InputError(
            "teachers were trained on the validation clips",
            where=path,
            expected=f"teachers with a validation fraction of {validation_fraction:g}",
            received=f"{held_out:g}",
        )
    stores = read_members(
        folder, members, TRAIN_LOGITS, split=split, scenes=scenes, filenames=filenames
    )
    if not stores:
        raise InputError("ensemble has no members", where=path)
    return Ensemble(
        fingerprint(members),
        tuple(members),
        external_data,
        {member: store.logits for member, store in stores.items()},
        _trained(stores, path),
        {network_folder(folder, member): key for member, key in members.items()},
        {name: content[name] for name in _DESCRIBED if name in content},
    )


def _trained(stores: Mapping[str, LogitsStore], path: Path) -> dict[str, np.ndarray] | None:
    """Returns which clips each member was trained on by folds, or None without folds."""
    by_folds = {member: store.trained for member, store in stores.items()}
    if all(trained is None for trained in by_folds.values()):
        return None
    trained = {
        # A member without this record counts as trained on all clips.
        member: np.ones(len(stores[member].filenames), bool) if rows is None else np.array(rows)
        for member, rows in by_folds.items()
    }
    by_all = np.all(list(trained.values()), axis=0)
    if by_all.any():
        raise InputError(
            "all teachers were trained on a clip",
            where=path,
            expected="one that was not, for each clip, from --folds",
            received=next(iter(stores.values())).filenames[by_all.argmax()],
        )
    return trained
