"""What the search of an SSCP-Mobile supernet searches: its sub-networks within budgets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.core.files import fingerprint
from dcase_system.models.cp_mobile import CPMobileSpec
from dcase_system.supernet.budgets import Budgets, formatted
from dcase_system.supernet.mobile_space import MobileSpace

_MOST_DRAWS = 5_000  # consecutive draws without a new sub-network


@dataclass(frozen=True)
class MobileProblem:
    """The sub-networks of a space within budgets, for `search.driver`.

    Their costs are those of the budgets. There are too many to list, so random candidates are drawn
    as a training step draws them, until they meet the budgets.
    """

    space: MobileSpace
    budgets: Budgets

    @property
    def num_costs(self) -> int:
        return len(self.budgets.each)

    @property
    def key(self) -> str:
        precisions = [budget.precision for budget in self.budgets.each]
        return fingerprint([self.space.key, str(self.budgets), precisions])

    def drawn(self, seed: int) -> Iterator[CPMobileSpec]:
        """Yields distinct sub-networks within the budgets in random order.

        Raises:
            InputError: None was drawn; the message names the nearest.
        """
        generator, seen, in_vain = np.random.default_rng(seed), set[CPMobileSpec](), 0
        smallest = self.space.smallest
        nearest = self.budgets.excess(smallest), smallest
        while self.budgets.reachable(smallest) and in_vain < _MOST_DRAWS:
            spec = self.space.draw(generator)
            in_vain += 1
            if spec not in seen:
                excess = self.budgets.excess(spec)
                if excess == 0:
                    seen.add(spec)
                    in_vain = 0
                    yield spec
                nearest = min(nearest, (excess, spec), key=lambda one: one[0])
        if not seen:
            costs = " and ".join(map(formatted, self.budgets.costs(nearest[1])))
            raise InputError(
                "no sub-network within the budget",
                where="search",
                expected=str(self.budgets),
                received=f"{self.space.name(nearest[1])} with {costs} as the nearest",
            )

    def size(self) -> None:
        """Raises an InputError if no sub-network is within the budgets; they are not counted."""
        next(self.drawn(seed=0))

    def choices(self) -> Mapping[str, Sequence[Any]]:
        """Returns the decisions: a level and a step from it for each ratio, and depths."""
        choices = self.space.choices
        ratios, spread = range(choices.num_ratios), choices.spread
        steps = ratios if spread is None else range(-spread, spread + 1)
        decisions: dict[str, Sequence[Any]] = {} if spread is None else {"level": ratios}
        decisions |= {f"ratio{index}": steps for index in range(choices.num_decisions)}
        return decisions | {f"depth{run}": of for run, of in enumerate(choices.depths)}

    def decode(self, decided: Mapping[str, Any]) -> CPMobileSpec:
        choices = self.space.choices
        steps = [decided[f"ratio{index}"] for index in range(choices.num_decisions)]
        ratios = np.clip(decided.get("level", 0) + np.array(steps), 0, choices.num_ratios - 1)
        depths = [decided[f"depth{run}"] for run in range(len(choices.depths))]
        return self.space.spec(choices.widths(ratios, depths))

    def name(self, candidate: CPMobileSpec) -> str:
        return self.space.name(candidate)

    def costs(self, candidate: CPMobileSpec) -> tuple[float, ...]:
        return self.budgets.costs(candidate)

    def excess(self, candidate: CPMobileSpec) -> float:
        return self.budgets.excess(candidate)
