"""Prepares a corpus in TAU's layout from recordings: windows, lists, and a summary of both."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from dcase_system.audio.clips import SAMPLE_RATE
from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint, read_json, write_json
from dcase_system.corpora.corpus import META_COLUMNS, TAG_COLUMNS, TEST_LIST, split_name
from dcase_system.runs import stages
from dcase_system.sounds.parts import divided, without_copies
from dcase_system.sounds.recordings import PARTS, Recording
from dcase_system.sounds.scanning import Scanned, scan
from dcase_system.sounds.summary import summarised

SUMMARY, WINDOWS, VALIDATION_LIST = "summary.json", "windows.csv", "validation.csv"
_DEVICE = "recorder"  # the layout has a device for each clip


def prepare(
    folder: Path,
    root: Path,
    recordings: Sequence[Recording],
    *,
    window_seconds: float,
    hop_seconds: float,
    test_fraction: float,
    seed: int,
    validation_fraction: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Writes windows and lists to a folder that recipes take as `--data_dir`; finished ones stay.

    Args:
        folder: Folder of the corpus: `audio/`, `meta.csv`, `split_setup/`, `windows.csv` (the
            recording, start and end of each window) and `summary.json`.
        root: Data folder.
        recordings: Recordings in it.
        window_seconds: Length of a window.
        hop_seconds: Time from the start of one window to the next.
        test_fraction: Share of each class's windows to test on, unless there are ready-made parts.
        seed: Seed of the division.
        validation_fraction: Share to set a threshold on, see `divided`.
        sample_rate: Sample rate of the windows in Hz.
        on_progress: Called with the number of recordings that are read, and of all.

    Returns:
        The content of `summary.json`.

    Raises:
        InputError: Fewer than two classes have recordings to train on, or none to test on.
    """
    settings = {
        "recordings": fingerprint([_stamp(root, one) for one in recordings]),
        "window_seconds": window_seconds,
        "hop_seconds": hop_seconds,
        "test_fraction": test_fraction,
        "seed": seed,
        "validation_fraction": validation_fraction,
        "sample_rate": sample_rate,
    }
    several_labels = any(len(one.labels) > 1 for one in recordings)

    def work(target: Path) -> None:
        (target / "audio").mkdir()
        (target / "split_setup").mkdir()
        everything = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            cut = partial(
                scan,
                window_seconds=window_seconds,
                hop_seconds=hop_seconds,
                sample_rate=sample_rate,
            )
            tasks = [
                pool.submit(cut, root, one, target / "audio", f"{number:06d}")
                for number, one in enumerate(recordings)
            ]
            for number, task in enumerate(tasks, 1):
                everything.append(task.result())
                on_progress(number, len(tasks))
        kept, copies = without_copies([one for one in everything if one.is_usable])
        kept = divided(kept, test_fraction, seed, validation_fraction)
        _write_lists(target, kept, TAG_COLUMNS if several_labels else META_COLUMNS)
        write_json(target / SUMMARY, summarised(everything, kept, copies))

    stages.run_stage(folder, settings, work)
    summary = read_json(folder / SUMMARY)
    for part in ("train", "test"):
        labels = [row["label"] for row in summary["classes"] if row[part]]
        if len(labels) < 2:
            raise InputError(
                f"too few classes to {part} on",
                where=root,
                expected="at least 2 classes with 2 recordings (or groups) each",
                received=", ".join(labels) or "none",
            )
    return summary


def _stamp(root: Path, recording: Recording) -> list[Any]:
    try:
        status = (root / recording.path).stat()
        return [repr(recording), status.st_size, status.st_mtime_ns]
    except OSError:  # is reported when it is read
        return [repr(recording)]


def _write_lists(target: Path, kept: Sequence[Scanned], columns: Sequence[str]) -> None:
    rows = [(one, window) for one in kept for window in one.windows]
    meta = pd.DataFrame(
        [
            (f"audio/{window.file}", one.recording.label, one.recording.group, _DEVICE)
            for one, window in rows
        ],
        columns=list(columns),
    )
    meta.to_csv(target / "meta.csv", sep="\t", index=False)
    parts = pd.Series([one.recording.part for one, _ in rows], dtype=object)
    for part, name in zip(PARTS, (split_name(100), VALIDATION_LIST, TEST_LIST), strict=True):
        listed = meta.loc[parts == part, list(columns[:2])]
        if len(listed):
            listed.to_csv(target / "split_setup" / name, sep="\t", index=False)
    pd.DataFrame(
        [
            (f"audio/{window.file}", str(one.recording), window.start_seconds, window.end_seconds)
            for one, window in rows
        ],
        columns=["filename", "recording", "start_seconds", "end_seconds"],
    ).to_csv(target / WINDOWS, index=False)
