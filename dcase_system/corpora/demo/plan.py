"""Which clips the demo corpus has: scenes, locations, segments, devices and lists."""

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

# As in TAU, three in four training clips are device a's and the others are parallel takes; of
# a test segment, one real, one seen and one unseen device are listed.
_PARALLEL = ("b", "c", "s1", "s2", "s3")
_PARALLEL_EVERY = 3
_TEST_DEVICES = (("a", "s1", "s4"), ("b", "s2", "s5"), ("c", "s3", "s6"))


@dataclass(frozen=True)
class DemoSize:
    """How much there is of everything; a clip takes 132 kB.

    Attributes:
        train_locations: locations of each scene that are recorded for training.
        test_locations: locations of each scene that are recorded for the test.
        train_segments: segments recorded at each training location.
        test_segments: segments recorded at each test location.
        pieces: one-second clips that a segment is cut into, at most 10.
        evaluation_clips: clips of the evaluation set.
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
    """Some seconds at one place, recorded by one device or by several at the same time.

    Attributes:
        scene: scene label.
        location: number of the location, which no other location shares.
        number: number of the segment, which no other segment shares.
        devices: devices that recorded it, `a` first.
        listed: those of them whose clips are in the lists; the others are in meta.csv only.
        splits: percentages of the training splits that it is in; none for a test segment.
    """

    scene: str
    location: int
    number: int
    devices: tuple[str, ...]
    listed: tuple[str, ...]
    splits: tuple[int, ...]

    @property
    def identifier(self) -> str:
        """`<city>-<location>`, the group that training and test do not share."""
        return f"{CITIES[self.location % len(CITIES)]}-{self.location}"

    def filename(self, piece: int, device: str) -> str:
        """Path below the corpus folder of one second of one take."""
        return f"audio/{self.scene}-{self.identifier}-{self.number}-{piece}-{device}.wav"


def plan_development(size: DemoSize, seed: int) -> tuple[Segment, ...]:
    """All segments of the development set, scene by scene and location by location."""
    segments: list[Segment] = []
    tested = 0
    for index, scene in enumerate(tau.SCENES):
        location = 1_000 + index * (size.train_locations + size.test_locations)
        # The ranks are shuffled, so that small splits have segments of many locations.
        ranks = np.random.default_rng([seed, index]).permutation(
            size.train_locations * size.train_segments
        )
        for position, rank in enumerate(ranks.tolist()):
            devices: tuple[str, ...] = ("a",)
            # By rank and not by position, so that the smallest split has its share of devices.
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
    """How many of a scene's segments a split holds: at least one, however small it is."""
    return max(1, round(percent / 100 * segments))
