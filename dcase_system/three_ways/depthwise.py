"""Random depthwise CNNs within budgets: the networks of the scene search (Wu & Lee) on log-mel."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dcase_system.complexity.costs import Costs
from dcase_system.core.errors import InputError
from dcase_system.models.scene_cnn import SceneCNNSpec, has_maps
from dcase_system.scene_search.costs import costs_of
from dcase_system.scene_search.scene_space import SceneSpace
from dcase_system.supernet.budgets import Budgets

_MOST_DRAWS = 20_000  # consecutive draws without a new network


def random_depthwise(
    budgets: Budgets, classes: int, input_shape: tuple[int, int], seed: int
) -> Iterator[SceneCNNSpec]:
    """Yields distinct random networks within budgets, with the stem of the authors' code.

    Args:
        budgets: Limits of the costs.
        classes: Number of classes.
        input_shape: (mel bands, frames).
        seed: Seed of the draws.

    Raises:
        InputError: No network is within the budgets.
    """
    space = SceneSpace(variant="code", classes=classes, input_shape=input_shape)
    generator, seen, in_vain = np.random.default_rng(seed), set[SceneCNNSpec](), 0
    while in_vain < _MOST_DRAWS:
        spec = replace(space.spec(space.draw(generator)), input_channels=1)
        in_vain += 1
        if spec not in seen and has_maps(spec) and _meets(budgets, costs_of(spec)):
            seen.add(spec)
            in_vain = 0
            yield spec
    if not seen:
        raise InputError(
            "no depthwise CNN within the budget", where="three ways", expected=str(budgets)
        )


def _meets(budgets: Budgets, costs: Costs) -> bool:
    return all(
        budget.excess(costs.of(budget.measure, budget.precision)) == 0 for budget in budgets.each
    )
