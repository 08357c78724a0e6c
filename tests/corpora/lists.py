"""Lists of corpora, without audio or with noise."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from dcase_system.corpora.corpus import META_COLUMNS
from dcase_system.corpora.demo.write import LABELLED, write_list, write_wav


def write_corpus(
    root: Path,
    scenes: list[str],
    devices: list[str],
    cities: list[str],
    splits: tuple[int, ...] = (100,),
    evaluation: tuple[str, ...] = ("audio/0.wav",),
) -> None:
    """Lists of development clips, one of each scene in each city, and of evaluation clips."""
    rows = [
        (f"audio/{index}-{number}.wav", scene, f"{city}-{index}{number}", device)
        for index, scene in enumerate(scenes)
        for number, (city, device) in enumerate(zip(cities, devices, strict=True))
    ]
    root.mkdir(parents=True, exist_ok=True)
    write_list(root / "meta.csv", META_COLUMNS, rows)
    for percent in splits:
        write_list(root / "split_setup" / f"split{percent}.csv", LABELLED, rows[:-1])
    write_list(root / "split_setup" / "test.csv", LABELLED, rows[-1:])
    names = [(name,) for name in evaluation]
    write_list(root / "evaluation_setup" / "fold1_test.csv", ("filename",), names)


def write_lists(root: Path, rows: list[tuple[str, ...]], **listed: list[int]) -> Path:
    """A corpus of rows of meta.csv, and lists of some of them, by position.

    Args:
        root: the folder.
        rows: filename, scene, identifier and device of each clip.
        **listed: positions by the list's name, such as `split100`; those of challenge editions
            whose lists begin with `fold1` go into `evaluation_setup/`.
    """
    root.mkdir(parents=True, exist_ok=True)
    write_list(root / "meta.csv", META_COLUMNS, rows)
    for name, positions in listed.items():
        folder = "evaluation_setup" if name.startswith("fold1") else "split_setup"
        columns = LABELLED[:1] if name == "fold1_test" else LABELLED
        write_list(root / folder / f"{name}.csv", columns, [rows[at] for at in positions])
    return root


def write_noise(
    root: Path, names: Iterable[str], seconds: float, rate_hz: int = 16_000, channels: int = 1
) -> None:
    """Writes clips of noise, all different."""
    for seed, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shape = (round(seconds * rate_hz), channels)
        noise = np.random.default_rng(seed).normal(0, 0.1, shape).clip(-1, 1)
        write_wav(root / name, noise, rate_hz)


def noisy_corpus(
    root: Path, seconds: float, rate_hz: int = 16_000, devices: tuple[str, str] = ("a", "b")
) -> Path:
    """Twelve clips of two scenes and two devices, and below `evaluation/` three without labels."""
    rows = [
        (f"audio/{scene}-{number}.wav", scene, f"lyon-{scene}{number}", devices[number % 2])
        for scene in ("bus", "park")
        for number in range(6)
    ]
    write_lists(root, rows, split100=[0, 1, 2, 3, 6, 7, 8, 9], test=[4, 5, 10, 11])
    write_noise(root, [row[0] for row in rows], seconds, rate_hz)
    evaluation = root / "evaluation"
    names = [(f"audio/{number}.wav",) for number in range(3)]
    (evaluation / "evaluation_setup").mkdir(parents=True)
    write_list(evaluation / "evaluation_setup" / "fold1_test.csv", ("filename",), names)
    write_noise(evaluation, [name for (name,) in names], seconds, rate_hz)
    return root


def write_shared_place(root: Path) -> None:
    """Gives a test clip of a noisy corpus the location of a training clip."""
    text = (root / "meta.csv").read_text()
    (root / "meta.csv").write_text(text.replace("lyon-bus4", "lyon-bus3"))
