"""What the scene search searches, and how its candidates are ranked; `search.driver` runs it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dcase_system.models.scene_cnn import MODULES
from dcase_system.scene_search.costs import costs_of
from dcase_system.scene_search.scene_space import POOLS, Architecture, Block, SceneSpace
from dcase_system.search.driver import Search


@dataclass(frozen=True)
class CandidateScore:
    """Measures of a candidate; see `training.SceneScore`.

    Attributes:
        clip_accuracy: Accuracy over the clips, in percent; NSGA-II maximizes it.
        accuracy: Mean accuracy over the classes, in percent.
        loss: Binary cross-entropy, in nats.
    """

    clip_accuracy: float
    accuracy: float
    loss: float


@dataclass(frozen=True)
class Candidate:
    """An architecture that was trained and scored.

    Attributes:
        name: Name of the architecture.
        architecture: The architecture.
        params: Number of trainable parameters.
        macs: MACs of one segment, by the official count.
        score: Its measures.
    """

    name: str
    architecture: Architecture
    params: int
    macs: int
    score: CandidateScore


@dataclass(frozen=True)
class SceneProblem:
    """The architectures of a space; their costs are parameters and MACs."""

    space: SceneSpace
    num_costs: int = 2

    @property
    def key(self) -> str:
        return self.space.key

    def drawn(self, seed: int) -> Iterator[Architecture]:
        self.space.check()
        return self.space.candidates(seed)

    def size(self) -> None:
        """Raises an InputError if no size is in the window; to count the networks takes minutes."""
        self.space.check()

    def choices(self) -> Mapping[str, Sequence[Any]]:
        """Returns all decisions; those for blocks that are left out have no effect."""
        decisions: dict[str, Sequence[Any]] = {
            "blocks": self.space.block_counts,
            "stem": self.space.stems,
            "growth": self.space.growths,
        }
        for block in range(max(self.space.block_counts)):
            decisions[f"first{block}"] = (0, *MODULES)
            decisions[f"second{block}"] = tuple(MODULES)
            decisions[f"pool{block}"] = POOLS
        return decisions

    def decode(self, decided: Mapping[str, Any]) -> Architecture:
        blocks: list[Block] = [
            (decided[f"first{block}"], decided[f"second{block}"], decided[f"pool{block}"])
            for block in range(decided["blocks"])
        ]
        return Architecture(tuple(blocks), decided["stem"], decided["growth"])

    def name(self, candidate: Architecture) -> str:
        return candidate.name

    def costs(self, candidate: Architecture) -> tuple[int, int]:
        costs = costs_of(self.space.spec(candidate))
        return costs.params, costs.macs

    def excess(self, candidate: Architecture) -> float:
        """Distance of a candidate from the size window, in parameters; 0 within it."""
        if self.space.admits(candidate):
            return 0.0
        params, (low, high) = self.space.counted_params(candidate), self.space.window.params
        return max(low - params, params - high, 1.0)


def search_scenes(
    search: Search[Architecture],
    score: Callable[[Architecture], CandidateScore],
    *,
    helps: bool = False,
) -> list[Candidate]:
    """Runs a search and returns all its candidates, best first; see `Search.run`."""
    found = search.run(lambda architecture: asdict(score(architecture)), helps=helps)
    candidates = []
    for one in found:
        params, macs = map(int, one.costs)
        score_of = CandidateScore(**one.measures)
        candidates.append(Candidate(one.name, one.candidate, params, macs, score_of))
    return sorted(candidates, key=_by_accuracy)


def chosen(candidates: Sequence[Candidate]) -> dict[str, Candidate]:
    """Model A, of the highest accuracy, and model B, of the lowest loss, as the paper names them.

    Of equal ones the other measure decides, then the name. Where one candidate is both, it is the
    only one, under the name `A and B`.
    """
    most_accurate, least_loss = min(candidates, key=_by_accuracy), min(candidates, key=_by_loss)
    if most_accurate == least_loss:
        return {"A and B": most_accurate}
    return {"A": most_accurate, "B": least_loss}


def _by_accuracy(one: Candidate) -> tuple[float, float, str]:
    return (-one.score.clip_accuracy, one.score.loss, one.name)


def _by_loss(one: Candidate) -> tuple[float, float, str]:
    return (one.score.loss, -one.score.clip_accuracy, one.name)


def front(candidates: Sequence[Candidate]) -> set[str]:
    """Names of those that no other beats in accuracy, parameters and MACs together."""

    def beats(one: Candidate, other: Candidate) -> bool:
        mine = (-one.score.clip_accuracy, one.params, one.macs)
        its = (-other.score.clip_accuracy, other.params, other.macs)
        return mine != its and all(a <= b for a, b in zip(mine, its, strict=True))

    return {b.name for b in candidates if not any(beats(a, b) for a in candidates)}
