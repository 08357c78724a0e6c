"""A folder of clips in the TAU Urban Acoustic Scenes 2022 Mobile layout."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dcase_system.core.errors import InputError, visible
from dcase_system.core.locations import Location, as_location
from dcase_system.corpora import tau
from dcase_system.corpora.folders import check_folder, check_not_empty, missing_meta
from dcase_system.corpora.table import at_line, first_row, read_tsv

META_COLUMNS = ("filename", "scene_label", "identifier", "source_label")
TAG_COLUMNS = ("filename", "labels", "identifier", "source_label")
SEPARATOR = ";"  # between the labels of one clip
TEST_LIST = "test.csv"  # the dev-test list
DEVICE_ID = "device_id"  # column of an evaluation list, since 2025
_LAYOUT = "a folder with meta.csv and audio/"
_EVALUATION_LAYOUT = "a folder with audio/ and evaluation_setup/fold1_test.csv"
_SIMULATED_DEVICE = re.compile(r"s\d+")


# Arrays and tables have no single truth value, so neither class can be compared with `==`.
@dataclass(frozen=True, eq=False)
class Clips:
    """Clips of a corpus, in order of use.

    Attributes:
        filenames: Path of each clip below the corpus folder, `audio/....wav`.
        labels: Index of each clip's scene in `Corpus.scenes`, int64 of shape (clips,); or, if clips
            may have several labels, as in `TaggedClips`: float32 (clips, classes).
        locations: Recording location of each clip, `<city>-<location>`.
        devices: Recording device of each clip, in lower case.
    """

    filenames: tuple[str, ...]
    labels: np.ndarray
    locations: tuple[str, ...]
    devices: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.filenames)

    def recorded_by(self, device: str) -> np.ndarray:
        """Returns a boolean mask (clips,) of the clips of a device."""
        return np.array(self.devices) == device

    def take(self, rows: np.ndarray) -> "Clips":
        """Selects clips by positions, in that order, or by a boolean mask."""
        positions = np.arange(len(self))[rows]
        return Clips(
            filenames=tuple(self.filenames[position] for position in positions),
            labels=self.labels[positions],
            locations=tuple(self.locations[position] for position in positions),
            devices=tuple(self.devices[position] for position in positions),
        )


@dataclass(frozen=True, eq=False)
class Corpus:
    """The labelled clips of one folder.

    Attributes:
        root: Folder of the corpus.
        scenes: Class names in label order.
        meta: Rows of `meta.csv`, with devices in lower case.
        several_labels: Whether a clip may have several labels, `scene_label` being `dog;rain`.
    """

    root: Location
    scenes: tuple[str, ...]
    meta: pd.DataFrame
    several_labels: bool = False

    @property
    def devices(self) -> tuple[str, ...]:
        """All recording devices, in alphabetical order."""
        return tuple(sorted(set(self.meta.source_label)))

    @property
    def splits(self) -> tuple[int, ...]:
        """Percentages of the training splits in the folder."""
        return tuple(
            percent
            for percent in tau.SPLITS
            if any(path.is_file() for path in _list_paths(self.root, split_name(percent)))
        )

    def split(self, percent: int) -> Clips:
        """The training clips of `split_setup/split<percent>.csv`, in the order of meta.csv."""
        return self.listed(split_name(percent))

    def test(self) -> Clips:
        """The development-test clips of `split_setup/test.csv`, in the order of meta.csv."""
        return self.listed(TEST_LIST)

    def listed(self, name: str) -> Clips:
        """The clips of a list, in the order of meta.csv, which has their scenes.

        Raises:
            InputError: The list is missing or damaged, has a clip that is not in meta.csv, or a
                column `scene_label` that contradicts it.
        """
        path = find_list(self.root, name)
        listed = read_tsv(path, ("filename",), optional=("scene_label",))
        scene_of = dict(zip(self.meta.filename, self.meta.scene_label, strict=True))
        known = listed.filename.map(scene_of)
        row = first_row(known.isna())
        if row is not None:
            raise InputError(
                "clip is not in meta.csv", where=at_line(path, row), received=listed.filename[row]
            )
        if "scene_label" in listed:
            _check_scenes(path, listed, known)
        rows = self.meta[self.meta.filename.isin(listed.filename)]
        return Clips(
            filenames=tuple(rows.filename),
            labels=self._labels(rows.scene_label),
            locations=tuple(rows.identifier),
            devices=tuple(rows.source_label),
        )

    def _labels(self, of_clips: pd.Series) -> np.ndarray:
        if not self.several_labels:
            return pd.Index(self.scenes).get_indexer(of_clips).astype(np.int64)
        present = of_clips.str.get_dummies(sep=SEPARATOR)
        return present.reindex(columns=list(self.scenes), fill_value=0).to_numpy(np.float32)


def _check_scenes(path: Location, listed: pd.DataFrame, known: pd.Series) -> None:
    """Refuses a list whose scenes are not those that meta.csv has for its clips."""
    row = first_row(known != listed.scene_label)
    if row is not None:
        raise InputError(
            f"scene of {listed.filename[row]} differs from meta.csv",
            where=at_line(path, row),
            expected=known[row],
            received=listed.scene_label[row],
        )


def read_corpus(root: str | Location, scenes: Sequence[str] | None = None) -> Corpus:
    """Reads and checks `meta.csv` of a folder in the TAU 2022 Mobile layout.

    Args:
        root: Folder or URL with `meta.csv`, `audio/` and `split_setup/` (or the split lists beside
            `meta.csv` or in `evaluation_setup/`).
        scenes: Class list in label order; by default the scene labels of `meta.csv` in
            alphabetical order, which for TAU is the official order.

    Raises:
        InputError: The folder or meta.csv is missing, or meta.csv is not tab-separated, has a
            duplicate row, an empty field or a scene that is not in the class list.
    """
    root = as_location(root)
    path, meta = _read_meta(root, META_COLUMNS)
    names = tuple(scenes) if scenes is not None else tuple(sorted(set(meta.scene_label)))
    row = first_row(~meta.scene_label.isin(names))
    if row is not None:
        raise InputError(
            "scene is not in the class list",
            where=at_line(path, row),
            expected=", ".join(map(visible, names)),
            received=meta.scene_label[row],
        )
    return Corpus(root, _checked(names, path), meta)


def read_tagged_corpus(root: str | Location) -> Corpus:
    """Reads a corpus like `read_corpus`, whose clips may have several labels.

    `meta.csv` has the column `labels`, such as `dog;rain`, in place of `scene_label`: a command for
    scenes refuses it.

    Raises:
        InputError: See `read_corpus`.
    """
    root = as_location(root)
    path, meta = _read_meta(root, TAG_COLUMNS)
    meta = meta.rename(columns={"labels": "scene_label"})
    names = sorted({name for text in meta.scene_label for name in text.split(SEPARATOR)})
    return Corpus(root, _checked(names, path), meta, several_labels=True)


def _read_meta(root: Location, columns: Sequence[str]) -> tuple[Location, pd.DataFrame]:
    check_folder(root, _LAYOUT)
    path = root / "meta.csv"
    if not path.is_file():
        check_not_empty(root, _LAYOUT)
        raise missing_meta(root, ", ".join(columns))
    meta = read_tsv(path, columns)
    # The only place that changes the case, so that device names are the same everywhere.
    meta["source_label"] = meta.source_label.str.lower()
    return path, meta


def _checked(names: Sequence[str], path: Location) -> tuple[str, ...]:
    if len(names) < 2:
        raise InputError(
            "too few scenes",
            where=path,
            expected="at least 2 scene labels",
            received=", ".join(map(visible, names)),
        )
    return tuple(names)


def read_evaluation_list(root: str | Location) -> tuple[str, ...]:
    """Reads the file names (`audio/0.wav`, ...) of an evaluation set without labels.

    They are in `evaluation_setup/fold1_test.csv` of the evaluation folder, column `filename`.
    """
    return read_evaluation(root)[0]


def read_evaluation(root: str | Location) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Reads the file names as `read_evaluation_list` does, and the device of each clip.

    Devices are in lower case, from the column `device_id`, which the lists have had since 2025;
    there are none if the list has no such column.
    """
    root = as_location(root)
    check_folder(root, _EVALUATION_LAYOUT)
    path = root / "evaluation_setup" / "fold1_test.csv"
    if not path.is_file():
        check_not_empty(root, _EVALUATION_LAYOUT)
    table = read_tsv(path, ("filename",), optional=(DEVICE_ID,))
    devices = tuple(table[DEVICE_ID].str.lower()) if DEVICE_ID in table else ()
    return tuple(table.filename), devices


def split_name(percent: int) -> str:
    """File name of a training split."""
    return f"split{percent}.csv"


def find_list(root: Location, name: str) -> Location:
    """Finds the list `name` in split_setup/, beside meta.csv or in evaluation_setup/."""
    locations = _list_paths(root, name)
    for path in locations:
        if path.is_file():
            return path
    raise InputError(
        "list of clips is missing", where=locations[0], expected=f"{name} there or in {root}"
    )


def _list_paths(root: Location, name: str) -> list[Location]:
    return [root / "split_setup" / name, root / name, root / "evaluation_setup" / name]


def device_groups(
    train_devices: Sequence[str], test_devices: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Groups the test devices as the 2024 baseline does: real, seen and unseen.

    Devices that are not in training are `unseen`; of the others, simulated ones (`s<number>`)
    are `seen` and the rest `real`. For TAU 2022 Mobile: {a, b, c}, {s1, s2, s3}, {s4, s5, s6}.
    """
    trained = set(train_devices)
    groups: dict[str, list[str]] = {"real": [], "seen": [], "unseen": []}
    for device in sorted(set(test_devices)):
        if device not in trained:
            groups["unseen"].append(device)
        elif _SIMULATED_DEVICE.fullmatch(device):
            groups["seen"].append(device)
        else:
            groups["real"].append(device)
    return {name: tuple(devices) for name, devices in groups.items() if devices}


def is_tau(scenes: Sequence[str]) -> bool:
    """Whether these are TAU's ten scenes in their official order."""
    return tuple(scenes) == tau.SCENES
