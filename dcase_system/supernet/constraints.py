"""How many parameters a sub-network may have: the paper's constraints, and those of other sizes.

The paper searches CNN10 (5.22 M parameters) at 0.8, 1.8, 2.8 and 3.8 M, within 0.2 M of each
(section 3.3). A supernet of other widths has these as shares of its own parameters.
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
        params: its centre.
        tolerance: how far a sub-network may be from it, both ends included.
        published: the paper's constraint that it stands for, in millions; None if for none.
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
        """A word for folders and files, such as `0.8M` or `47.8k`."""
        unit, letter = (1e6, "M") if self.params >= 1e5 else (1e3, "k")
        return f"{self.params / unit:.3g}{letter}"


def constraints_of(
    base: CNN10Spec, budgets: Sequence[float] | None = None, tolerance: float | None = None
) -> tuple[Constraint, ...]:
    """The constraints that the sub-networks of a base are searched for.

    Args:
        base: the largest sub-network.
        budgets: parameters; None for the paper's constraints, which a base of other widths than
            CNN10's has as shares of its parameters.
        tolerance: in parameters; None for the paper's, or the same share of it.

    Raises:
        InputError: there is no budget, one is given twice, or a number is not positive.
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
    """What the paper's constraints are multiplied with: 1 for CNN10's own widths."""
    published = CNN10Spec()
    if (base.blocks, base.embedding) == (published.blocks, published.embedding):
        return 1.0  # whatever the classes
    return costs_of(base).params / costs_of(published).params
