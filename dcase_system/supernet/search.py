"""Finding the best sub-network within a budget: the paper's random search, or all there are."""

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
    """What a sub-network may cost, both ends included.

    Attributes:
        measure: `params`, `macs`, `bytes`, or `latency` in milliseconds.
        high: the most.
        low: the least.
        precision: of the parameters that make the bytes.
        latency: measures it, for a budget of it.
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
                "a budget of latency, and no other, needs what measures it",
                where=f"budget of {self.measure}",
            )

    def cost(self, spec: CNN10Spec) -> float:
        if self.measure == "latency":
            assert self.latency is not None
            return self.latency(spec)
        return costs_of(spec).of(self.measure, self.precision)

    def excess(self, cost: float) -> float:
        """How far a cost is outside; 0 within."""
        return max(self.low - cost, cost - self.high, 0.0)

    def __str__(self) -> str:
        return f"{_said(self.low)} to {_said(self.high)} {self.measure}"


def _said(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 1_000 else f"{cost:.6g}"


@dataclass(frozen=True)
class Candidate:
    """A sub-network that was scored.

    Attributes:
        ratios: which one.
        params: trainable parameters.
        macs: by the official count.
        cost: what the budget is of.
        score: mean average precision, higher is better.
    """

    ratios: Ratios
    params: int
    macs: int
    cost: float
    score: float


def candidate(space: SearchSpace, ratios: Ratios, cost: float, score: float) -> Candidate:
    """A scored sub-network with its costs."""
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
    """Scores sub-networks of `draws_within`, best first.

    Args:
        space: sub-networks.
        budget: what they may cost.
        score: of a sub-network.
        draws: how many are scored, if there are so many.
        seed: of the draws.
        most_costed: see `draws_within`.

    Raises:
        InputError: see `draws_within`.
    """
    found = [
        candidate(space, ratios, cost, score(space.spec(ratios)))
        for ratios, cost in islice(draws_within(space, budget, seed, most_costed), draws)
    ]
    return sorted(found, key=lambda one: -one.score)


def exhaustive_search(
    space: SearchSpace, budget: Budget, score: Score, *, most: int = 1_000
) -> list[Candidate]:
    """Scores every sub-network within the budget, best first.

    Raises:
        InputError: nothing is within the budget, or more than `most` are.
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
    """Those that no other beats in both cost and score, by rising cost."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (one.cost, -one.score)):
        if not kept or one.score > kept[-1].score:
            kept.append(one)
    return kept


def reachable(space: SearchSpace, budget: Budget) -> int:
    """How many sub-networks are within a budget, by their costs alone.

    Raises:
        InputError: no sub-network is; the message names the nearest.
    """
    return sum(1 for _ in draws_within(space, budget))


def draws_within(
    space: SearchSpace, budget: Budget, seed: int = 0, most_costed: int | None = None
) -> Iterator[tuple[Ratios, float]]:
    """The sub-networks within a budget and their costs, in random order.

    The first n of a shuffled list are n fair draws without repetition.

    Args:
        space: sub-networks.
        budget: what they may cost.
        seed: of the order.
        most_costed: of how many the cost is looked at, for a cost that has to be measured; by
            default of all of the space.

    Raises:
        InputError: nothing of the space is within the budget; the message names the nearest.
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
    """The error for a budget that nothing meets."""
    received = "none"
    if nearest is not None:
        ratios, cost = nearest
        received = f"as the nearest {ratios_name(ratios)} with {_said(cost)}"
    return InputError(
        "no sub-network within the budget",
        where="search",
        expected=str(budget),
        received=received,
    )
