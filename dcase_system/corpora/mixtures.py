"""A multi-label corpus for a CPU: mixtures of scene clips, planned here, rendered by `audio`.

Each mixture consists of one to three clips of different scenes; their scenes are its labels. Clips
are mixed only within a list, and the validation part is separated by location before that, so no
recording is in two sets.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips, Corpus
from dcase_system.corpora.validation_rows import validation_rows

MIXED_SPLIT = 100  # percentage of the training list that is mixed
_MOST_SCENES = 3
_QUIETEST_DB = -9.0  # lowest gain of a clip in a mixture
_LISTS = ("train", "validation", "test")


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Mixtures:
    """The contents of each mixture of a list.

    Attributes:
        clips: Clips to mix.
        sources: Positions of the clips of each mixture (mixtures, 3), padded with -1.
        gains: Factors (mixtures, 3), float32.
        offsets: Start of each clip (mixtures, 3), from 0 (earliest possible) to 1 (latest).
        labels: float32 (mixtures, scenes), 1 where the scene is present.
    """

    clips: Clips
    sources: np.ndarray
    gains: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.sources)

    def locations(self) -> frozenset[str]:
        """Recording locations of the mixed clips."""
        return frozenset(self.clips.locations[row] for row in self.sources[self.sources >= 0])


def plan_mixtures(
    corpus: Corpus,
    name: Literal["train", "validation", "test"],
    mixtures: int,
    *,
    split: int = MIXED_SPLIT,
    validation_fraction: float = 0.2,
    seed: int = 0,
) -> Mixtures:
    """Plans the mixtures of one list; the same arguments give the same plan.

    Every clip of the list is used about equally often.

    Args:
        corpus: Scene clips.
        name: Name of the list: `train` and `validation` divide `split<split>.csv` by location,
            `test` is the dev-test list.
        mixtures: Number of mixtures.
        split: Percentage of the training split.
        validation_fraction: Fraction of each scene's training clips to hold out, by location.
        seed: Seed for the mixtures and the held-out locations.

    Raises:
        InputError: The list has no clips, or clips of only one scene.
    """
    clips = _clips_of(corpus, name, split, validation_fraction, seed)
    if len(np.unique(clips.labels)) < 2 or mixtures < 1:
        raise InputError(
            "nothing to mix",
            where=f"{name} list of {corpus.root}",
            expected="clips of two scenes, and one mixture",
            received=f"{len(clips)} clips, {mixtures} mixtures",
        )
    generator = np.random.default_rng([seed, _LISTS.index(name)])
    sources = _draw_sources(clips.labels, mixtures, generator)
    gains = 10 ** (generator.uniform(_QUIETEST_DB, 0.0, sources.shape) / 20)
    labels = np.zeros((mixtures, len(corpus.scenes)), np.float32)
    rows, columns = np.nonzero(sources >= 0)
    labels[rows, clips.labels[sources[rows, columns]]] = 1.0
    return Mixtures(
        clips=clips,
        sources=sources,
        gains=gains.astype(np.float32),
        offsets=generator.uniform(0.0, 1.0, sources.shape),
        labels=labels,
    )


def _clips_of(corpus: Corpus, name: str, split: int, fraction: float, seed: int) -> Clips:
    if name not in _LISTS:
        raise InputError(
            "no such list", where="mixtures", expected=" | ".join(_LISTS), received=name
        )
    if name == "test":
        return corpus.test()
    clips = corpus.split(split)
    held = validation_rows(clips, fraction, seed)
    return clips.take(held if name == "validation" else ~held)


def _draw_sources(scenes: np.ndarray, mixtures: int, generator: np.random.Generator) -> np.ndarray:
    """Draws positions (mixtures, 3): clips in shuffled rounds, no scene twice in a mixture."""
    sources = np.full((mixtures, _MOST_SCENES), -1, np.int64)
    most = min(_MOST_SCENES, len(np.unique(scenes)))
    turn: list[int] = []
    for mixture in range(mixtures):
        chosen: list[int] = []
        for _ in range(generator.integers(1, most + 1)):
            heard = {scenes[row] for row in chosen}
            place = _first_of_others(turn, scenes, heard)
            if place is None:
                place = len(turn)
                turn += generator.permutation(len(scenes)).tolist()
                place += _first_of_others(turn[place:], scenes, heard) or 0
            chosen.append(turn.pop(place))
        sources[mixture, : len(chosen)] = chosen
    return sources


def _first_of_others(turn: list[int], scenes: np.ndarray, heard: set) -> int | None:
    """Position of the first waiting clip of another scene."""
    return next((place for place, row in enumerate(turn) if scenes[row] not in heard), None)
