"""Computes the costs of the search's networks without building them."""

import math

from dcase_system.complexity.costs import Costs
from dcase_system.models.scene_cnn import SceneCNNSpec, map_sizes


def costs_of(spec: SceneCNNSpec) -> Costs:
    """Computes a network's costs, equal to those that `complexity.counter` counts once built."""
    (stem_map,), *of_blocks = [[math.prod(size) for size in sizes] for sizes in map_sizes(spec)]
    kernel = 9 * spec.input_channels * spec.stem_channels
    norm = 2 * spec.stem_channels  # batch norm is counted once, however large its map
    params, macs = kernel + norm, kernel * stem_map + norm
    width, before = spec.stem_channels, stem_map
    for block, positions in zip(spec.blocks, of_blocks, strict=True):
        for module, after in zip(block.modules, positions, strict=False):
            inner = module.expanded or width
            expansion = width * inner if module.expanded else 0
            kernels = inner * module.kernel**2 + inner * module.channels
            norms = 2 * (inner + module.channels + (inner if module.expanded else 0))
            params += expansion + kernels + norms
            macs += expansion * before + kernels * after + norms
            width, before = module.channels, after
        before = positions[-1]
    dense = (width + 1) * spec.classes
    return Costs(params + dense, macs + dense)
