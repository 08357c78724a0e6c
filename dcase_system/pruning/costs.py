"""Computes a network's cost for given numbers of channels per group, without building it."""

import numpy as np

from dcase_system.complexity.costs import BYTES_PER_PARAMETER
from dcase_system.complexity.counter import count, parameters_of
from dcase_system.core.errors import InputError
from dcase_system.models.graph.read import ChannelGraph


class Costs:
    """Parameters and MACs of a network as functions of the channels its groups keep.

    A layer's MACs are its parameters times a factor that pruning does not change (1, the number of
    output positions, or 0), and every axis of a weight is a constant plus a multiple of each
    group's channels, so both counts are exact.

    Args:
        graph: Graph of a network whose input shape is fixed except for the batch.

    Raises:
        InputError: The network cannot be counted.
    """

    def __init__(self, graph: ChannelGraph):
        counted = count(graph.model)
        self.sizes = np.array([group.size for group in graph.groups], dtype=np.int64)
        self._group_of = np.full(len(graph.roots), -1)
        for index, roots in enumerate(graph.members.values()):
            self._group_of[roots] = index
        factors = {layer.name: layer.macs // max(layer.params, 1) for layer in counted.layers}
        # Row 0 of the axes is the constant 1, for weights with fewer than two pruned axes.
        self._constants, self._multiples = [1], [np.zeros(len(self.sizes), dtype=np.int64)]
        weights = [
            (base, first, second, factors[name])
            for name, layer in graph.layers.items()
            for base, first, second in self._weights(layer, graph.roots)
        ]
        self._weight_table = np.array(weights, dtype=np.int64).reshape(-1, 4)
        self._axes = np.array(self._multiples), np.array(self._constants)
        # Layers that pruning does not change.
        params, macs = self._variable(self.sizes)
        self._fixed = counted.params - params, counted.macs - macs

    def __call__(self, channels: np.ndarray) -> tuple[int, int]:
        """Returns (parameters, MACs) when each group keeps (groups,) `channels`."""
        params, macs = self._variable(channels)
        return params + self._fixed[0], macs + self._fixed[1]

    def _variable(self, channels: np.ndarray) -> tuple[int, int]:
        multiples, constants = self._axes
        sizes = multiples @ channels + constants
        base, first, second, factor = self._weight_table.T
        params = base * sizes[first] * sizes[second]
        return int(params.sum()), int((params * factor).sum())

    def _weights(self, channels, roots: np.ndarray):
        """Yields (product of the unpruned axes, two pruned axes) of each parameter."""
        layer = channels.layer
        parameters = {id(weight) for weight in parameters_of(layer)}
        for index, weight in enumerate(layer.weights):
            axes = {axis: ids for (own, axis), ids in channels.axes.items() if own == index}
            if id(weight) not in parameters or not axes:
                continue
            base = int(np.prod(weight.shape)) // int(np.prod([len(ids) for ids in axes.values()]))
            rows = [self._row(roots[ids]) for ids in axes.values()]
            yield base, rows[0], rows[1] if len(rows) > 1 else 0

    def _row(self, roots: np.ndarray) -> int:
        groups = self._group_of[roots]
        occurrences = np.bincount(groups[groups >= 0], minlength=len(self.sizes))
        self._constants.append(int((groups < 0).sum()))
        self._multiples.append(occurrences // np.maximum(self.sizes, 1))
        return len(self._constants) - 1


class Limits:
    """Upper limits on a network's cost.

    Args:
        max_macs: Largest number of multiply-accumulates by the official rule.
        max_bytes: Largest size: parameters times the bytes of `precision`.
        precision: `float32`, `float16` or `int8`.
    """

    def __init__(
        self,
        max_macs: int | None = None,
        max_bytes: int | None = None,
        precision: str = "float16",
    ):
        self.max_macs, self.max_bytes, self.precision = max_macs, max_bytes, precision

    def met(self, costs: tuple[int, int]) -> bool:
        """Whether (parameters, MACs) meet both limits."""
        size = costs[0] * BYTES_PER_PARAMETER[self.precision]
        return (self.max_macs is None or costs[1] <= self.max_macs) and (
            self.max_bytes is None or size <= self.max_bytes
        )

    def excess(self, costs: tuple[int, int]) -> float:
        """The share of (parameters, MACs) above the limits, in [0, 1); the larger of two shares."""
        size = costs[0] * BYTES_PER_PARAMETER[self.precision]
        shares = [
            1 - limit / cost
            for limit, cost in ((self.max_bytes, size), (self.max_macs, costs[1]))
            if limit is not None
        ]
        return max(0.0, *shares)

    def on_the_way(self, costs: tuple[int, int], progress: float) -> "Limits":
        """Interpolates limits between (parameters, MACs), at progress 0, and these, at 1."""
        size = costs[0] * BYTES_PER_PARAMETER[self.precision]

        def between(limit: int | None, cost: int) -> int | None:
            return None if limit is None else cost - round(progress * (cost - limit))

        return Limits(
            between(self.max_macs, costs[1]), between(self.max_bytes, size), self.precision
        )

    def unmet(self, network: str, costs: tuple[int, int]) -> InputError:
        """Error for a network that has this cost with its fewest possible channels."""
        size = costs[0] * BYTES_PER_PARAMETER[self.precision]
        return InputError(
            "no pruning meets the limits",
            where=f"network {network}",
            expected=f"at most {self.max_macs} MACs and {self.max_bytes} bytes at {self.precision}",
            received=f"{costs[1]} MACs and {size} bytes with the fewest channels",
        )
