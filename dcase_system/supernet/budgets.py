"""Budgets of a sub-network: one cost or several at once."""

from dataclasses import dataclass
from typing import Any

from dcase_system.complexity.costs import Measure
from dcase_system.core.errors import InputError
from dcase_system.supernet.costs import costs_of


@dataclass(frozen=True)
class Budget:
    """Allowed cost of a sub-network, both ends included.

    Attributes:
        measure: `params`, `macs` or `bytes`.
        high: Highest cost.
        low: Lowest cost.
        precision: Precision of the parameters, for counting bytes.
    """

    measure: Measure
    high: float
    low: float = 0.0
    precision: str = "float32"

    def __post_init__(self):
        if not 0 <= self.low <= self.high:
            raise InputError(
                "budget is empty",
                where=f"budget of {self.measure}",
                expected="0 <= low <= high",
                received=f"{self.low:g} to {self.high:g}",
            )

    def cost(self, spec: Any) -> float:
        return costs_of(spec).of(self.measure, self.precision)

    def excess(self, cost: float) -> float:
        """Distance of a cost from the budget; 0 within it."""
        return max(self.low - cost, cost - self.high, 0.0)

    def __str__(self) -> str:
        return f"{formatted(self.low)} to {formatted(self.high)} {self.measure}"


def formatted(cost: float) -> str:
    return f"{cost:,.0f}" if cost >= 1_000 else f"{cost:.6g}"


@dataclass(frozen=True)
class Budgets:
    """Several budgets that a sub-network has to meet at once.

    Attributes:
        each: The budgets; at least one.
    """

    each: tuple[Budget, ...]

    def costs(self, spec: Any) -> tuple[float, ...]:
        """Costs in the measures of the budgets, in their order."""
        return tuple(budget.cost(spec) for budget in self.each)

    def excess(self, spec: Any) -> float:
        """Distance from the budgets, as a share of each one's highest cost; 0 within all."""
        pairs = zip(self.each, self.costs(spec), strict=True)
        return sum(budget.excess(cost) / max(budget.high, 1.0) for budget, cost in pairs)

    def reachable(self, smallest: Any) -> bool:
        """Whether the smallest network of a space is at most as large as each budget allows."""
        pairs = zip(self.each, self.costs(smallest), strict=True)
        return all(cost <= budget.high for budget, cost in pairs)

    def __str__(self) -> str:
        return " and ".join(map(str, self.each))
