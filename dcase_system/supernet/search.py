"""Finds the best sub-network within a budget, by the paper's random search or exhaustively."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.space import Ratios, SearchSpace, ratios_name

Score = Callable[[CNN10Spec], float]
Latency = Callable[[CNN10Spec], float]

PAPER_DRAWS = 25  # p


@dataclass(frozen=True)
class Budget:
    """Allowed cost of a sub-network, both ends included.

    Attributes:
        measure: `params`, `macs`, `bytes`, or `latency` in milliseconds.
        high: Highest cost.
        low: Lowest cost.
        precision: Precision of the parameters, for counting bytes.
        latency: Function that measures latency, for a latency budget.
    """

    measure: Literal["params", "macs", "bytes", "latency"]
    high: float
    low: float = 0.0
    precision: str = "float32"
    latency: Latency | None = None

    def __post_init__(self):
        if not 0 <= self.low <= self.high:
            raise InputError(
                "budget is empty",
                where=f"budget of {self.measure}",
                expected="0 <= low <= high",
                received=f"{self.low:g} to {self.high:g}",
            )
        if (self.measure == "latency") != (self.latency is not None):
            raise InputError(
                "a latency budget, and no other, needs a latency function",
                where=f"budget of {self.measure}",
            )

    def cost(self, spec: CNN10Spec) -> float:
        if self.measure == "latency":
            assert self.latency is not None
            return self.latency(spec)
        return costs_of(spec).of(self.measure, self.precision)

    def excess(self, cost: float) -> float:
        """Distance of a cost from the budget; 0 within it."""
        return max(self.low - cost, cost - self.high, 0.0)

    def __str__(self) -> str:
        return f"{_said(self.low)} to {_said(self.high)} {self.measure}"


def _said(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 1_000 else f"{cost:.6g}"


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


def random_search(
    space: SearchSpace,
    budget: Budget,
    score: Score,
    *,
    draws: int = PAPER_DRAWS,
    seed: int = 0,
    most_costed: int | None = None,
) -> list[Candidate]:
    """Scores random sub-networks within a budget and returns them, best first.

    Args:
        space: Search space.
        budget: Allowed cost.
        score: Function that scores a sub-network.
        draws: Number of sub-networks to score, or all if there are fewer.
        seed: Seed for sampling.
        most_costed: See `draws_within`.

    Raises:
        InputError: See `draws_within`.
    """
    found = [
        candidate(space, ratios, cost, score(space.spec(ratios)))
        for ratios, cost in islice(draws_within(space, budget, seed, most_costed), draws)
    ]
    return sorted(found, key=lambda one: -one.score)


def exhaustive_search(
    space: SearchSpace, budget: Budget, score: Score, *, most: int = 1_000
) -> list[Candidate]:
    """Scores every sub-network within the budget and returns them, best first.

    Raises:
        InputError: No sub-network is within the budget, or more than `most` are.
    """
    within = list(draws_within(space, budget))
    if len(within) > most:
        raise InputError(
            "too many sub-networks to score them all",
            where="search",
            expected=f"at most {most} of {budget}",
            received=len(within),
        )
    found = [candidate(space, ratios, cost, score(space.spec(ratios))) for ratios, cost in within]
    return sorted(found, key=lambda one: -one.score)


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Returns the candidates that no other beats in both cost and score, by rising cost."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (one.cost, -one.score)):
        if not kept or one.score > kept[-1].score:
            kept.append(one)
    return kept


def reachable(space: SearchSpace, budget: Budget) -> int:
    """Counts the sub-networks within a budget.

    Raises:
        InputError: No sub-network is; the message names the nearest.
    """
    return sum(1 for _ in draws_within(space, budget))


def draws_within(
    space: SearchSpace, budget: Budget, seed: int = 0, most_costed: int | None = None
) -> Iterator[tuple[Ratios, float]]:
    """Yields the sub-networks within a budget and their costs, in random order.

    The first n of a shuffled list are a uniform sample without repetition.

    Args:
        space: Search space.
        budget: Allowed cost.
        seed: Seed of the order.
        most_costed: Number of sub-networks whose cost is computed, to limit measurements; by
            default the whole space.

    Raises:
        InputError: No sub-network is within the budget; the message names the nearest.
    """
    everything = list(space.all())
    order = np.random.default_rng(seed).permutation(len(everything))[:most_costed]
    nearest: tuple[float, Ratios, float] | None = None
    for index in order:
        ratios = everything[index]
        cost = budget.cost(space.spec(ratios))
        excess = budget.excess(cost)
        if excess == 0:
            nearest = (0.0, ratios, cost)
            yield ratios, cost
        elif nearest is None or excess < nearest[0]:
            nearest = (excess, ratios, cost)
    if nearest is None or nearest[0] > 0:
        raise unreachable(budget, nearest and nearest[1:])


def unreachable(budget: Budget, nearest: tuple[Ratios, float] | None) -> InputError:
    """Builds the error for a budget that no sub-network meets."""
    received = "none"
    if nearest is not None:
        ratios, cost = nearest
        received = f"{ratios_name(ratios)} with {_said(cost)} as the nearest"
    return InputError(
        "no sub-network within the budget",
        where="search",
        expected=str(budget),
        received=received,
    )
