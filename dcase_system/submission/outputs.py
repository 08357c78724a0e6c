"""Output files: a table of class probabilities for each system and split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing
from dcase_system.corpora.table import at_line, first_row, read_tsv
from dcase_system.submission.validate_output import RANGE_TOLERANCE, SUM_TOLERANCE


@dataclass(frozen=True)
class Output:
    """The contents of an output file, in its order.

    Attributes:
        filenames: Bare names, `0.wav`.
        labels: Index of each clip's `scene_label` among the scenes.
        probabilities: Probabilities, float32, clips x scenes.
    """

    filenames: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray


def write_output(
    path: str | Path,
    filenames: Sequence[str],
    probabilities: np.ndarray,
    scenes: Sequence[str],
    *,
    keep_folder: bool = False,
) -> None:
    """Writes `<label>.output.split_<percent>.csv`: tab-separated, UTF-8, one row per clip.

    The columns are `filename`, `scene_label` (the arg-max) and the probability of each scene,
    printed as the shortest decimal that gives the same float32, so that sums do not change.

    Args:
        path: Output file.
        filenames: Clips, with or without the folder `audio/`.
        probabilities: Probabilities, clips x scenes, any float type.
        scenes: Names of the columns, in the order of the class indices.
        keep_folder: Whether to write the names as they are, as in 2025, not without the folder.

    Raises:
        InputError: A shape does not fit, a clip occurs twice, or a row is not a distribution.
    """
    path = Path(path)
    values = np.asarray(probabilities)
    if values.shape != (len(filenames), len(scenes)) or not len(filenames):
        raise InputError(
            "probabilities have the wrong shape",
            where=path,
            expected=f"({len(filenames)} clips, {len(scenes)} scenes), not empty",
            received=values.shape,
        )
    # Labels come from the printed float32 values, so the two never disagree.
    values = values.astype(np.float32)
    _refuse_no_distribution(path, filenames, values)
    names = list(filenames)
    if not keep_folder:
        names = [name.removeprefix("audio/") for name in names]
    table = pd.DataFrame(values, columns=list(scenes))
    table.insert(0, "scene_label", np.asarray(scenes, object)[values.argmax(axis=1)])
    table.insert(0, "filename", names)
    repeated = np.flatnonzero(table.filename.duplicated())
    if repeated.size:
        raise InputError("clip is listed twice", where=path, received=names[repeated[0]])
    with replacing(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, encoding="utf-8", lineterminator="\n")


def _refuse_no_distribution(path: Path, filenames: Sequence[str], values: np.ndarray) -> None:
    # The comparisons are written so that NaN fails them.
    in_range = ((values >= -RANGE_TOLERANCE) & (values <= 1.0 + RANGE_TOLERANCE)).all(axis=1)
    totals = values.sum(axis=1, dtype=np.float64)
    for what, good, received in (
        ("probability is not in [0, 1]", in_range, values),
        ("probabilities do not sum to 1", np.abs(totals - 1.0) <= SUM_TOLERANCE, totals),
    ):
        bad = np.flatnonzero(~good)
        if bad.size:
            raise InputError(
                what,
                where=f"{path} row {bad[0] + 1} ({filenames[bad[0]]})",
                expected=f"a softmax, sum within {SUM_TOLERANCE:g} of 1",
                received=received[bad[0]].tolist(),
            )


def read_output(path: str | Path, scenes: Sequence[str]) -> Output:
    """Reads an output file back, to score the submitted values.

    Raises:
        InputError: The file is missing, a column is missing, or a field is invalid.
    """
    path = Path(path)
    table = read_tsv(path, ("filename", "scene_label", *scenes))
    labels = table.scene_label.map({scene: index for index, scene in enumerate(scenes)})
    _refuse_unread(path, "scene_label", table.scene_label, labels, "one of " + ", ".join(scenes))
    probabilities = np.empty((len(table), len(scenes)), np.float32)
    for index, scene in enumerate(scenes):
        column = pd.to_numeric(table[scene], errors="coerce")
        _refuse_unread(path, scene, table[scene], column, "a number from 0 to 1")
        probabilities[:, index] = column
    return Output(
        filenames=tuple(name.removeprefix("audio/") for name in table.filename),
        labels=labels.to_numpy(np.int64),
        probabilities=probabilities,
    )


def _refuse_unread(
    path: Path, field: str, texts: pd.Series, values: pd.Series, expected: str
) -> None:
    row = first_row(~np.isfinite(values))
    if row is not None:
        raise InputError(
            "field cannot be read",
            where=f"{at_line(path, row)} field {field}",
            expected=expected,
            received=texts[row],
        )
