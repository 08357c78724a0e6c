"""A multi-label corpus for a CPU: mixtures of scene clips, planned here, rendered by `audio`.

Each mixture is made of one to three clips of different scenes; their scenes are its labels. Clips
of one list are mixed with each other only, and the validation part is cut by location before that,
so no recording is heard on two sides.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips, Corpus, validation_rows

MIXED_SPLIT = 100  # percentage of the training list that is mixed
_MOST_SCENES = 3
_QUIETEST_DB = -9.0  # of a clip against the others of its mixture
_LISTS = ("train", "validation", "test")


# Arrays have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Mixtures:
    """What is heard in each mixture of a list.

    Attributes:
        clips: the clips that are mixed.
        sources: (mixtures, 3) positions of the clips that are heard; -1 where there are fewer.
        gains: (mixtures, 3) float32 factors.
        offsets: (mixtures, 3) where each clip begins, from 0, as early as it can, to 1, as late.
        labels: float32 (mixtures, scenes), 1 where the scene is heard.
    """

    clips: Clips
    sources: np.ndarray
    gains: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.sources)

    def locations(self) -> frozenset[str]:
        """Where the clips that are heard were recorded."""
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

    Every clip of the list is heard about equally often.

    Args:
        corpus: scene clips.
        name: of the list: `train` and `validation` share `split<split>.csv` by locations, `test` is
            the dev-test list.
        mixtures: how many.
        split: percentage of the training list.
        validation_fraction: part of each scene's training clips, by location.
        seed: of the draws and of the locations.

    Raises:
        InputError: the list has no clips, or clips of one scene only.
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
    """(mixtures, 3) positions: clips in shuffled turns, no scene twice in a mixture."""
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
    """Place of the first clip that waits and is of another scene."""
    return next((place for place, row in enumerate(turn) if scenes[row] not in heard), None)
