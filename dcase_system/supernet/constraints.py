"""Constraints on a sub-network's parameters: the paper's, and those of other supernets.

The paper searches CNN10 (5.22 M parameters) at 0.8, 1.8, 2.8 and 3.8 M, within 0.2 M of each
(section 3.3). Supernets of other widths use the same shares of their own parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dcase_system.core.errors import InputError
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.costs import costs_of

PAPER_CONSTRAINTS = (800_000, 1_800_000, 2_800_000, 3_800_000)
PAPER_TOLERANCE = 200_000  # epsilon


@dataclass(frozen=True)
class Constraint:
    """A window of parameters.

    Attributes:
        params: Centre of the window.
        tolerance: Largest distance from the centre, both ends included.
        published: Corresponding constraint of the paper, in millions; None without one.
    """

    params: float
    tolerance: float
    published: float | None = None

    @property
    def low(self) -> float:
        return max(0.0, self.params - self.tolerance)

    @property
    def high(self) -> float:
        return self.params + self.tolerance

    @property
    def name(self) -> str:
        """Name for folders and files, such as `0.8M` or `47.8k`."""
        unit, letter = (1e6, "M") if self.params >= 1e5 else (1e3, "k")
        return f"{self.params / unit:.3g}{letter}"


def constraints_of(
    base: CNN10Spec, budgets: Sequence[float] | None = None, tolerance: float | None = None
) -> tuple[Constraint, ...]:
    """Returns the constraints to search a base's sub-networks for.

    Args:
        base: Largest sub-network.
        budgets: Centres, in parameters; None for the paper's, scaled to the base's parameters if
            its widths are not CNN10's.
        tolerance: Tolerance, in parameters; None for the paper's, scaled likewise.

    Raises:
        InputError: There is no budget, one occurs twice, or a number is not positive.
    """
    scale = _scale(base)
    tolerance = PAPER_TOLERANCE * scale if tolerance is None else tolerance
    if budgets is None:
        return tuple(
            Constraint(params * scale, tolerance, params / 1e6) for params in PAPER_CONSTRAINTS
        )
    published = {params: params / 1e6 for params in PAPER_CONSTRAINTS} if scale == 1 else {}
    constraints = tuple(
        Constraint(params, tolerance, published.get(round(params))) for params in budgets
    )
    names = [one.name for one in constraints]
    if tolerance <= 0 or not names or len(set(names)) < len(names) or min(budgets) <= 0:
        raise InputError(
            "constraints are wrong",
            where="search",
            expected="different numbers of parameters and a tolerance, above 0",
            received=f"{', '.join(names) or 'none'} within {tolerance:g}",
        )
    return constraints


def _scale(base: CNN10Spec) -> float:
    """Returns the scale of the paper's constraints: 1 for CNN10's own widths."""
    published = CNN10Spec()
    if (base.blocks, base.embedding) == (published.blocks, published.embedding):
        return 1.0  # whatever the number of classes
    return costs_of(base).params / costs_of(published).params
