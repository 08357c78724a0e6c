"""What a supernet's search searches: the sub-networks within a budget; `search.driver` runs it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.search.driver import Search
from dcase_system.supernet.budgets import Budget, formatted
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.search_space import Ratios, SearchSpace, ratios_name

Score = Callable[[CNN10Spec], float]

PAPER_DRAWS = 25  # p


@dataclass(frozen=True)
class Candidate:
    """A scored sub-network.

    Attributes:
        ratios: Width ratios that identify it.
        params: Number of trainable parameters.
        macs: MACs by the official count.
        cost: Cost in the budget's measure.
        score: Mean average precision; higher is better.
    """

    ratios: Ratios
    params: int
    macs: int
    cost: float
    score: float


def candidate(space: SearchSpace, ratios: Ratios, cost: float, score: float) -> Candidate:
    """Builds a candidate from its ratios, cost and score."""
    costs = costs_of(space.spec(ratios))
    return Candidate(ratios, costs.params, costs.macs, cost, score)


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Returns the candidates that no other beats in both cost and score, by rising cost."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (one.cost, -one.score)):
        if not kept or one.score > kept[-1].score:
            kept.append(one)
    return kept


@dataclass(frozen=True)
class SubNetworkProblem:
    """The sub-networks of a space, within a budget; their cost is the budget's."""

    space: SearchSpace
    budget: Budget
    num_costs: int = 1

    @property
    def key(self) -> str:
        return fingerprint([self.space.key, str(self.budget), self.budget.precision])

    def drawn(self, seed: int) -> Iterator[Ratios]:
        """Yields the sub-networks within the budget in random order.

        The first n of a shuffled list are a uniform sample without repetition.

        Raises:
            InputError: No sub-network is within the budget; the message names the nearest.
        """
        everything = list(self.space.all())
        nearest: tuple[float, Ratios] | None = None
        for index in np.random.default_rng(seed).permutation(len(everything)):
            ratios = everything[index]
            excess = self.excess(ratios)
            if excess == 0:
                yield ratios
            if nearest is None or excess < nearest[0]:
                nearest = excess, ratios
        if nearest is not None and nearest[0] > 0:
            cost = formatted(self.budget.cost(self.space.spec(nearest[1])))
            raise InputError(
                "no sub-network within the budget",
                where="search",
                expected=str(self.budget),
                received=f"{ratios_name(nearest[1])} with {cost} as the nearest",
            )

    def size(self) -> int:
        """Counts the sub-networks within the budget.

        Raises:
            InputError: See `drawn`.
        """
        return sum(1 for _ in self.drawn(seed=0))

    def choices(self) -> Mapping[str, Sequence[Any]]:
        """Returns the decisions: a depth for each block, and a ratio for each block or layer."""
        decisions: dict[str, Sequence[Any]] = {}
        for block, depths in enumerate(self.space.depths):
            if len(depths) > 1:
                decisions[f"depth{block}"] = depths
            for layer in range(1 if self.space.width_per == "block" else depths[-1]):
                decisions[f"ratio{block}_{layer}"] = self.space.ratios
        return decisions

    def decode(self, decided: Mapping[str, Any]) -> Ratios:
        """Returns the sub-network of these decisions; ratios of omitted layers have no effect."""
        ratios = []
        for block, depths in enumerate(self.space.depths):
            depth = decided.get(f"depth{block}", depths[0])
            of_layer = [0 if self.space.width_per == "block" else layer for layer in range(depth)]
            ratios.append(tuple(decided[f"ratio{block}_{layer}"] for layer in of_layer))
        return tuple(ratios)

    def name(self, candidate: Ratios) -> str:
        return ratios_name(candidate)

    def costs(self, candidate: Ratios) -> tuple[float]:
        return (self.budget.cost(self.space.spec(candidate)),)

    def excess(self, candidate: Ratios) -> float:
        return self.budget.excess(*self.costs(candidate))


def search_sub_networks(
    search: Search[Ratios], space: SearchSpace, score: Score, *, helps: bool = False
) -> list[Candidate]:
    """Runs a search and returns all its sub-networks, best first; see `Search.run`."""
    found = search.run(lambda ratios: {"map": score(space.spec(ratios))}, helps=helps)
    candidates = [
        candidate(space, one.candidate, one.costs[0], one.measures["map"]) for one in found
    ]
    return sorted(candidates, key=lambda one: -one.score)
