"""The clips of the demo corpus: scenes, locations, segments, devices and lists."""

from dataclasses import dataclass, fields

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau

CITIES = (
    "barcelona",
    "helsinki",
    "lisbon",
    "london",
    "lyon",
    "milan",
    "paris",
    "prague",
    "stockholm",
    "vienna",
)

# As in TAU, three in four training clips are from device a and the others are parallel takes. Of
# each test segment, one real, one seen and one unseen device are listed.
_PARALLEL = ("b", "c", "s1", "s2", "s3")
_PARALLEL_EVERY = 3
_TEST_DEVICES = (("a", "s1", "s4"), ("b", "s2", "s5"), ("c", "s3", "s6"))


@dataclass(frozen=True)
class DemoSize:
    """Size of the demo corpus; a clip takes 132 kB.

    Attributes:
        train_locations: Training locations per scene.
        test_locations: Test locations per scene.
        train_segments: Segments per training location.
        test_segments: Segments per test location.
        pieces: One-second clips per segment, at most 10.
        evaluation_clips: Clips of the evaluation set.
    """

    train_locations: int = 15
    test_locations: int = 8
    train_segments: int = 3
    test_segments: int = 1
    pieces: int = 2
    evaluation_clips: int = 200

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), 10 if field.name == "pieces" else 10_000
            if not 1 <= value <= most:
                raise InputError(
                    f"{field.name} out of range",
                    where="size of the demo corpus",
                    expected=f"1 to {most}",
                    received=value,
                )


FULL = DemoSize()
"""1,200 training clips, 480 test clips and 200 evaluation clips."""

TINY = DemoSize(
    train_locations=2,
    test_locations=1,
    train_segments=2,
    test_segments=1,
    pieces=1,
    evaluation_clips=10,
)
"""Every list, scene and device, in about a hundred clips: for tests."""


@dataclass(frozen=True)
class Segment:
    """Some seconds at one place, recorded by one or more devices at the same time.

    Attributes:
        scene: Scene label.
        location: Unique number of the location.
        number: Unique number of the segment.
        devices: Devices that recorded it, `a` first.
        listed: Devices whose clips are in the lists; the others are in meta.csv only.
        splits: Percentages of the training splits that hold it; none for a test segment.
    """

    scene: str
    location: int
    number: int
    devices: tuple[str, ...]
    listed: tuple[str, ...]
    splits: tuple[int, ...]

    @property
    def identifier(self) -> str:
        """`<city>-<location>`; training and test share no such group."""
        return f"{CITIES[self.location % len(CITIES)]}-{self.location}"

    def filename(self, piece: int, device: str) -> str:
        """Path below the corpus folder of one second of one take."""
        return f"audio/{self.scene}-{self.identifier}-{self.number}-{piece}-{device}.wav"


def plan_development(size: DemoSize, seed: int) -> tuple[Segment, ...]:
    """Plans all segments of the development set, ordered by scene and location."""
    segments: list[Segment] = []
    tested = 0
    for index, scene in enumerate(tau.SCENES):
        location = 1_000 + index * (size.train_locations + size.test_locations)
        # Shuffled ranks, so that small splits have segments of many locations.
        ranks = np.random.default_rng([seed, index]).permutation(
            size.train_locations * size.train_segments
        )
        for position, rank in enumerate(ranks.tolist()):
            devices: tuple[str, ...] = ("a",)
            # By rank, not by position, so that the smallest split has its share of devices.
            if rank % _PARALLEL_EVERY == 0:
                devices += (_PARALLEL[(rank // _PARALLEL_EVERY + index) % len(_PARALLEL)],)
            segments.append(
                Segment(
                    scene=scene,
                    location=location + position // size.train_segments,
                    number=40_000 + len(segments),
                    devices=devices,
                    listed=devices,
                    splits=tuple(p for p in tau.SPLITS if rank < _in_split(p, len(ranks))),
                )
            )
        for position in range(size.test_locations * size.test_segments):
            listed = _TEST_DEVICES[tested % len(_TEST_DEVICES)]
            tested += 1
            segments.append(
                Segment(
                    scene=scene,
                    location=location + size.train_locations + position // size.test_segments,
                    number=40_000 + len(segments),
                    devices=listed if "a" in listed else ("a", *listed),
                    listed=listed,
                    splits=(),
                )
            )
    return tuple(segments)


def _in_split(percent: int, segments: int) -> int:
    """Number of a scene's segments in a split, at least one."""
    return max(1, round(percent / 100 * segments))
