"""The demo corpus in the layout of TAU 2020 3Class: two ears, 48 kHz, three classes.

It has the same scenes and places as the mono demo corpus. Both ears share a common signal; the part
that reaches only one ear grows with the place's echo, so the difference of the ears is informative.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from scipy import signal

from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing_directory, write_json
from dcase_system.corpora import task1b, tau
from dcase_system.corpora.corpus import META_COLUMNS
from dcase_system.corpora.demo.devices import record
from dcase_system.corpora.demo.plan import CITIES
from dcase_system.corpora.demo.scenes import SCENES, DemoSite, draw_site, render
from dcase_system.corpora.demo.signals import RATE_HZ
from dcase_system.corpora.demo.write import (
    LABELLED,
    Counter,
    DemoCorpus,
    Progress,
    one_writer,
    standing,
    write_list,
    write_wav,
)
from dcase_system.corpora.demo_marker import MARKER

_VERSION = 1
_DEVICE = "a"
_EVALUATION_LOCATION = 10_001


@dataclass(frozen=True)
class StereoSize:
    """Size of the stereo demo corpus; a second takes 288 kB.

    Attributes:
        train_locations: Training locations per scene.
        test_locations: Test locations per scene.
        clips: Clips per location.
        evaluation_clips: Clips of the evaluation set.
        seconds: Length of a clip in seconds; 10 in the real corpus.
    """

    train_locations: int = 6
    test_locations: int = 3
    clips: int = 2
    evaluation_clips: int = 30
    seconds: float = 2.6

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 1 <= getattr(self, field.name) <= 1_000:
                raise InputError(
                    f"{field.name} out of range",
                    where="size of the stereo demo corpus",
                    expected="1 to 1000",
                    received=getattr(self, field.name),
                )


STEREO_FULL = StereoSize()
"""120 training clips, 60 test clips and 30 evaluation clips of 2.6 s: 160 MB."""

STEREO_TINY = StereoSize(
    train_locations=2, test_locations=1, clips=1, evaluation_clips=4, seconds=1.3
)
"""Every list and scene in 34 clips: for tests."""


def write_stereo_demo_corpus(
    directory: str | Path,
    *,
    seed: int = 0,
    size: StereoSize = STEREO_FULL,
    progress: Progress | None = None,
) -> DemoCorpus:
    """Synthesises the stereo demo corpus, unless it exists in `directory`.

    Args:
        directory: Folder of the corpus, created; another demo corpus in it is replaced.
        seed: Seed of all randomness.
        size: Size of the corpus.
        progress: Called after each clip.

    Raises:
        InputError: `directory` holds something other than a demo corpus.
        OSError: Writing failed.
    """
    directory = Path(directory)
    wanted = {"version": _VERSION, "channels": 2, "seed": seed, **asdict(size)}
    corpus = DemoCorpus(directory / "development", directory / "evaluation")
    with one_writer(directory):
        if standing(directory) == wanted:
            return corpus
        of_scene = (size.train_locations + size.test_locations) * size.clips
        counter = Counter(of_scene * len(tau.SCENES) + size.evaluation_clips, progress)
        with replacing_directory(directory) as temporary:
            _write_development(temporary / "development", size, seed, counter)
            _write_evaluation(temporary / "evaluation", size, seed, counter)
            write_json(temporary / MARKER, wanted)
    return corpus


def _write_development(root: Path, size: StereoSize, seed: int, written: Counter) -> None:
    (root / "audio").mkdir(parents=True)
    train: list[tuple[str, ...]] = []
    test: list[tuple[str, ...]] = []
    locations = size.train_locations + size.test_locations
    for index, scene in enumerate(tau.SCENES):
        for position in range(locations):
            number = 1_000 + index * locations + position
            site = draw_site(scene, np.random.default_rng([seed, number]))
            identifier = f"{CITIES[number % len(CITIES)]}-{number}"
            for clip in range(size.clips):
                generator = np.random.default_rng([seed, number, clip])
                segment = 40_000 + (number - 1_000) * size.clips + clip
                name = f"audio/{scene}-{identifier}-{segment}-{_DEVICE}.wav"
                _write_clip(root / name, scene, site, size.seconds, generator)
                row = (name, task1b.CLASS_OF[scene], identifier, _DEVICE)
                (train if position < size.train_locations else test).append(row)
                written.one_more()
    write_list(root / "meta.csv", META_COLUMNS, train + test)
    setup = root / "evaluation_setup"
    write_list(setup / task1b.TRAIN_LIST, LABELLED, train)
    write_list(setup / task1b.TEST_LIST, LABELLED, test)
    write_list(setup / "fold1_test.csv", ("filename",), test)


def _write_evaluation(root: Path, size: StereoSize, seed: int, written: Counter) -> None:
    (root / "audio").mkdir(parents=True)
    order = np.random.default_rng([seed, 9_999]).permutation(size.evaluation_clips)
    for clip, drawn in enumerate(order.tolist()):
        scene = tau.SCENES[drawn % len(tau.SCENES)]
        site = draw_site(scene, np.random.default_rng([seed, _EVALUATION_LOCATION + drawn]))
        generator = np.random.default_rng([seed, 10_000, clip])
        _write_clip(root / "audio" / f"{clip}.wav", scene, site, size.seconds, generator)
        written.one_more()
    rows = [(f"audio/{clip}.wav",) for clip in range(size.evaluation_clips)]
    write_list(root / "evaluation_setup" / "fold1_test.csv", ("filename",), rows)


def _write_clip(
    path: Path, scene: str, site: DemoSite, seconds: float, generator: np.random.Generator
) -> None:
    ears = binaural(scene, site, round(seconds * RATE_HZ), generator)
    ears = signal.resample_poly(ears, 160, 147, axis=0)[: round(seconds * task1b.SAMPLE_RATE)]
    write_wav(path, np.clip(ears, -1, 1), task1b.SAMPLE_RATE)


def binaural(
    scene: str, site: DemoSite, samples: int, generator: np.random.Generator
) -> np.ndarray:
    """Renders the signals of both ears at a site: float32 (samples, 2) at 44.1 kHz."""
    echo_s = sum(SCENES[scene].echo_s) / 2
    alone = min(0.9, 0.2 + 0.4 * echo_s)  # share of the amplitude that reaches only one ear
    common = render(site, samples, generator)
    ears = []
    for _ in range(2):
        own = render(site, samples, generator)
        ears.append(record(np.sqrt(1 - alone**2) * common + alone * own, _DEVICE, generator))
    return np.stack(ears, axis=1).astype(np.float32)
