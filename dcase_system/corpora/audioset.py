"""AudioSet as a corpus: its segment lists, its classes, and the files of a copy.

Every real copy lacks some clips, because videos disappear. Lists are reduced to the existing files;
missing clips are counted and listed.
"""

import csv
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dcase_system.core.errors import InputError, visible
from dcase_system.core.locations import Location, as_location, files_below, find_list_below
from dcase_system.corpora.folders import check_folder, check_not_empty
from dcase_system.corpora.formats import SUFFIXES
from dcase_system.corpora.overlap import refuse_shared
from dcase_system.corpora.table import without_blank_end
from dcase_system.corpora.tags import TaggedClips

_LOG = logging.getLogger(__name__)
CLASSES_FILE = "class_labels_indices.csv"
BALANCED, EVALUATION, UNBALANCED = (
    f"{name}_segments.csv" for name in ("balanced_train", "eval", "unbalanced_train")
)
PAPER_VALIDATION_CLIPS = 28_339  # in the supernet's paper, drawn from the unbalanced list
# `--4gqARaEJE.wav`, `Y--4gqARaEJE.wav`, with or without start and end behind an underscore.
_AUDIO_NAME = re.compile(r"Y?([\w-]{11})(?:_[\d.]+)*")
_VIDEO = re.compile(r"[\w-]{11}")
_COLUMNS = ("index", "mid", "display_name")
_LAYOUT = "a copy of AudioSet"
_FIELDS = 4  # fields of a segment: video, start, end, labels


@dataclass(frozen=True)
class Segment:
    """One line of a segment list.

    Attributes:
        video: YouTube identifier, 11 characters.
        start_seconds: Start of the clip in the video.
        end_seconds: End of the clip in the video.
        labels: Indices of its classes.
    """

    video: str
    start_seconds: float
    end_seconds: float
    labels: tuple[int, ...]


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class AudioSetList:
    """The clips of a list whose files exist, and the videos whose files are missing."""

    clips: TaggedClips
    missing: tuple[str, ...]


@dataclass(frozen=True)
class AudioSet:
    """A copy of AudioSet.

    Attributes:
        root: Folder with the lists, and with audio files anywhere below it.
        mids: Identifier of each class, such as `/m/09x0r`, in label order.
        names: Display name of each class.
    """

    root: Location
    mids: tuple[str, ...]
    names: tuple[str, ...]

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Path below the root of each video's clip."""
        found: dict[str, str] = {}
        for path in files_below(self.root, SUFFIXES):
            matched = _AUDIO_NAME.fullmatch(path.stem)
            if matched:
                found.setdefault(matched[1], str(path))
        return found

    def segments(self, name: str) -> tuple[Segment, ...]:
        """Reads all lines of a segment list, whether their files exist or not.

        Raises:
            InputError: The list is missing or damaged, has a label outside the ontology or a
                duplicate video.
        """
        index_of = {mid: index for index, mid in enumerate(self.mids)}
        path = _find(self.root, name)
        found: dict[str, Segment] = {}
        for line, fields in _rows(path):
            segment = _segment(fields, index_of, f"{path} line {line}")
            if segment.video in found:
                raise InputError(
                    "video is listed twice",
                    where=f"{path} line {line}",
                    expected="one segment of each",
                    received=segment.video,
                )
            found[segment.video] = segment
        return tuple(found.values())

    def check_apart(self) -> None:
        """Refuses a copy whose training and evaluation lists share videos.

        Raises:
            InputError: The lists share videos, or a list is missing or damaged.
        """
        train, test = (
            [segment.video for segment in self.segments(name)] for name in (BALANCED, EVALUATION)
        )
        refuse_shared(train, test, BALANCED, _find(self.root, EVALUATION))

    def balanced(self) -> AudioSetList:
        """The balanced training list."""
        return self._present(BALANCED, self.segments(BALANCED))

    def evaluation(self) -> AudioSetList:
        """The evaluation list."""
        return self._present(EVALUATION, self.segments(EVALUATION))

    def validation(self, clips: int = PAPER_VALIDATION_CLIPS, seed: int = 0) -> AudioSetList:
        """Samples clips from the unbalanced list, without videos of the other lists.

        Samples only clips whose files exist, and all of them if there are too few.

        Args:
            clips: Number of clips.
            seed: Seed for sampling.
        """
        taken = {one.video for name in (BALANCED, EVALUATION) for one in self.segments(name)}
        free = [one for one in self.segments(UNBALANCED) if one.video not in taken]
        there = [one for one in free if one.video in self.files]
        drawn = np.random.default_rng(seed).permutation(len(there))[:clips]
        chosen = self._present("validation sample", [there[row] for row in np.sort(drawn)])
        missing = tuple(one.video for one in free if one.video not in self.files)
        return AudioSetList(chosen.clips, missing)

    def _present(self, name: str, segments: Sequence[Segment]) -> AudioSetList:
        there = [one for one in segments if one.video in self.files]
        missing = tuple(one.video for one in segments if one.video not in self.files)
        if not there:
            raise InputError(
                f"no clip of the {name} exists",
                where=self.root,
                expected="audio files named by their video, such as Y--4gqARaEJE.wav",
            )
        if missing:
            _LOG.warning(
                "%s: %d of %d clips are missing, such as %s",
                name,
                len(missing),
                len(segments),
                ", ".join(missing[:3]),
            )
        labels = np.zeros((len(there), len(self.mids)), np.float32)
        for row, one in enumerate(there):
            labels[row, list(one.labels)] = 1.0
        return AudioSetList(
            TaggedClips(tuple(self.files[one.video] for one in there), labels), missing
        )


def read_audioset(root: str | Location) -> AudioSet:
    """Reads the class list of a copy of AudioSet.

    Args:
        root: Folder or URL with `class_labels_indices.csv` and the segment lists, directly or in a
            folder below it.

    Raises:
        InputError: The folder or the class list is missing or damaged.
    """
    root = as_location(root)
    check_folder(root, _LAYOUT)
    path = _find(root, CLASSES_FILE)
    (first, header), *rows = _rows(path)
    if tuple(header) != _COLUMNS:
        raise InputError(
            "wrong columns",
            where=f"{path} line {first}",
            expected=", ".join(_COLUMNS),
            received=_shown(header),
        )
    for position, (line, fields) in enumerate(rows):
        if len(fields) != len(_COLUMNS) or fields[0] != str(position):
            raise InputError(
                "class is out of order",
                where=f"{path} line {line}",
                expected=f"index {position}, identifier, name",
                received=_shown(fields),
            )
    mids = tuple(fields[1] for _, fields in rows)
    if len(set(mids)) < len(mids) or not mids:
        raise InputError("a class is listed twice, or the list is empty", where=path)
    return AudioSet(root, mids, tuple(fields[2] for _, fields in rows))


def _find(root: Location, name: str) -> Location:
    found = find_list_below(root, name, SUFFIXES)
    if found is None:
        check_not_empty(root, _LAYOUT)
        raise InputError(
            "list is missing", where=root / name, expected="it there or one level down"
        )
    return found


def _rows(path: Location) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each line that is not a comment."""
    try:
        lines = without_blank_end(path.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"list cannot be read ({error})", where=path) from error
    kept = [(number, line) for number, line in enumerate(lines, 1) if not line.startswith("#")]
    if not kept:
        raise InputError("list has no rows", where=path, expected="at least one")
    for number, line in kept:
        # A space follows each comma, also before a quoted field.
        yield number, next(csv.reader([line], skipinitialspace=True), [])


def _shown(fields: Sequence[str]) -> str:
    return ", ".join(map(visible, fields))


def _segment(fields: Sequence[str], index_of: Mapping[str, int], where: str) -> Segment:
    if len(fields) != _FIELDS or not _VIDEO.fullmatch(fields[0]):
        raise InputError(
            "not a segment",
            where=where,
            expected='video, start, end, "labels"',
            received=_shown(fields),
        )
    try:
        start, end = float(fields[1]), float(fields[2])
    except ValueError as error:
        raise InputError(
            "not a time", where=where, expected="seconds", received=_shown(fields[1:3])
        ) from error
    labels = fields[3].split(",")
    for mid in labels:
        if mid not in index_of:
            raise InputError(
                "label is outside the ontology",
                where=where,
                expected=f"one of {len(index_of)} classes",
                received=mid or "none",
            )
    return Segment(fields[0], start, end, tuple(index_of[mid] for mid in labels))
