"""Chooses which channels to keep: at one ratio for all groups, or by one ranking over all."""

from collections.abc import Mapping

import keras
import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.graph.read import read_graph
from dcase_system.pruning.costs import Costs, Limits

Kept = dict[str, np.ndarray]


def kept_channels(scores: np.ndarray, ratio: float, name: str) -> np.ndarray:
    """Positions kept when a share of a group's channels, those of lowest score, is removed.

    Removes int(n * ratio) channels, as NNI does; of equal scores the first goes first. The product
    is the binary one: 100 * 0.29 is 28.999999999999996, so 28 of 100 are removed.

    Args:
        scores: (n,) importance.
        ratio: Share to remove, in [0, 1).
        name: Name of the group, for messages.

    Raises:
        InputError: The ratio is negative or leaves no channel, or a score is not a number.
    """
    scores = _checked(scores, name)
    gone = int(len(scores) * ratio) if 0 <= ratio < 1 else len(scores)
    if gone >= len(scores):
        raise InputError(
            "pruning ratio leaves no channel",
            where=f"channel group {name}",
            expected="a ratio in [0, 1)",
            received=ratio,
        )
    order = np.argsort(scores, kind="stable")
    return np.sort(order[gone:])


def uniform_kept(scores: Mapping[str, np.ndarray], ratio: float) -> Kept:
    """Applies `kept_channels` to every group at one ratio."""
    return {name: kept_channels(values, ratio, name) for name, values in scores.items()}


def smallest_uniform_ratio(
    model: keras.Model,
    *,
    max_macs: int | None = None,
    max_bytes: int | None = None,
    precision: str = "float16",
) -> float:
    """The smallest ratio for all groups that meets the limits, hence the largest such network.

    Widths change in steps of the ratio, so only ratios at which a width changes are tried. A
    network's cost does not depend on which of a group's channels are removed.

    Args:
        model: Network at a fixed input shape, as returned by `registry.build_fixed`.
        max_macs: Largest number of MACs by the official rule.
        max_bytes: Largest size: trainable parameters times the bytes of `precision`.
        precision: `float32`, `float16` or `int8`.

    Raises:
        InputError: No ratio meets the limits, or the network is not understood.
    """
    limits = Limits(max_macs, max_bytes, precision)
    costs = Costs(read_graph(model))

    def met(ratio: float) -> bool:
        return limits.met(costs(_widths(costs.sizes, ratio)))

    ratios = _steps(costs.sizes)
    if not met(ratios[-1]):
        raise limits.unmet(model.name, costs(_widths(costs.sizes, ratios[-1])))
    low, high = 0, len(ratios) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if met(ratios[middle]) else (middle + 1, high)
    return ratios[low]


def global_kept(
    model: keras.Model,
    scores: Mapping[str, np.ndarray],
    *,
    max_macs: int | None = None,
    max_bytes: int | None = None,
    precision: str = "float16",
    least: float = 0.1,
    progress: float = 1.0,
) -> Kept:
    """Channels kept after removing the least important of the whole network; positions by group.

    Dividing scores by their group's mean makes groups comparable. Channels are removed in that
    order until the limits are met; then the last removed come back as long as they fit.

    Args:
        model: Network at a fixed input shape.
        scores: Importance by group.
        max_macs: Largest number of MACs by the official rule.
        max_bytes: Largest size: trainable parameters times the bytes of `precision`.
        precision: `float32`, `float16` or `int8`.
        least: Share of each group's channels that always stays; at least one channel does.
        progress: Position of the cost between that of the whole network (0) and the limits (1).

    Raises:
        InputError: The limits are not met even so, the network is not understood, or the scores do
            not match its groups.
    """
    graph = read_graph(model)
    costs = Costs(graph)
    limits = Limits(max_macs, max_bytes, precision).on_the_way(costs(costs.sizes), progress)
    fewest = np.clip(np.ceil(least * costs.sizes), 1, costs.sizes).astype(np.int64)
    values = [_checked(scores.get(x.name, ()), x.name, x.size) for x in graph.groups]
    order = _removal_order(values, fewest)

    def widths(gone: int) -> np.ndarray:
        return costs.sizes - np.bincount(order[:gone, 0], minlength=len(costs.sizes))

    if not limits.met(costs(widths(len(order)))):
        raise limits.unmet(model.name, costs(widths(len(order))))
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if limits.met(costs(widths(middle))) else (middle + 1, high)
    gone = _put_back(order[:low], widths(low), costs, limits)
    return {
        group.name: np.setdiff1d(np.arange(group.size), gone[gone[:, 0] == index, 1])
        for index, group in enumerate(graph.groups)
    }


def global_share(
    model: keras.Model,
    *,
    max_macs: int | None = None,
    max_bytes: int | None = None,
    precision: str = "float16",
) -> float:
    """The share of a network's cost that must go to meet the limits; the larger of two shares.

    Args:
        model: Network at a fixed input shape.
        max_macs: Largest number of MACs by the official rule.
        max_bytes: Largest size: trainable parameters times the bytes of `precision`.
        precision: `float32`, `float16` or `int8`.
    """
    costs = Costs(read_graph(model))
    return Limits(max_macs, max_bytes, precision).excess(costs(costs.sizes))


def _checked(scores, name: str, size: int | None = None) -> np.ndarray:
    """Converts scores to an array of finite numbers, one per channel."""
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or size not in (None, len(values)):
        raise InputError(
            "importance does not fit",
            where=f"channel group {name}",
            expected=f"{'some' if size is None else size} numbers",
            received=f"shape {values.shape}",
        )
    if not np.isfinite(values).all():
        raise InputError("importance is not a number", where=f"channel group {name}")
    return values


def _widths(sizes: np.ndarray, ratio: float) -> np.ndarray:
    return np.array([size - int(size * ratio) for size in sizes.tolist()], dtype=np.int64)


def _steps(sizes: np.ndarray) -> list[float]:
    """Every ratio at which some group loses one more channel, ascending from 0."""
    found = {0.0}
    for size in set(sizes.tolist()):
        for gone in range(1, size):
            ratio = gone / size
            # Rounding may put the quotient below the step.
            found.add(ratio if int(size * ratio) == gone else float(np.nextafter(ratio, 1.0)))
    return sorted(found)


def _removal_order(scores: list[np.ndarray], fewest: np.ndarray) -> np.ndarray:
    """(removable channels, 2): group and position, least important first."""
    rows = []
    for index, (values, least) in enumerate(zip(scores, fewest.tolist(), strict=True)):
        relative = values / max(values.mean(), np.finfo(np.float64).tiny)
        for position in np.argsort(relative, kind="stable")[: len(values) - least]:
            rows.append((relative[position], index, position))
    return np.array([row[1:] for row in sorted(rows)], dtype=np.int64).reshape(-1, 2)


def _put_back(order: np.ndarray, widths: np.ndarray, costs: Costs, limits: Limits) -> np.ndarray:
    """Returns the channels still removed after restoring all others that fit the limits."""
    away, full = [], set()
    for group, position in order[::-1].tolist():
        if group not in full:
            widths[group] += 1
            if limits.met(costs(widths)):
                continue
            widths[group] -= 1
            full.add(group)
        away.append((group, position))
    return np.array(away, dtype=np.int64).reshape(-1, 2)
