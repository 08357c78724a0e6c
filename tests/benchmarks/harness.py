"""Runs contenders in turns and builds the table of their times.

Machines are noisy: what counts is the ratio of two contenders of the same round, and of that the
median over the rounds.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcase_system.core.processors import usable_cores
from dcase_system.reporting.tables import markdown

Contender = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: was measured.
        ours: figure of the package.
        unit: of the figures.
        peer: what it is held against, if anything.
        theirs: the peer's figure.
        ratio: how many times as fast as the peer: above 1 the package is ahead.
    """

    what: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None


def alternate(
    contenders: Mapping[str, Contender],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, np.ndarray]:
    """(rounds,) seconds of each contender; a first round, which traces graphs, is not kept."""
    seconds = {name: np.empty(rounds + 1) for name in contenders}
    for at in range(rounds + 1):
        for name, run in contenders.items():
            started = clock()
            run()
            seconds[name][at] = clock() - started
    return {name: values[1:] for name, values in seconds.items()}


def compared(
    what: str, seconds: Mapping[str, np.ndarray], items: int, unit: str = "clips/s"
) -> list[Row]:
    """The first contender, ours, against each of the others.

    Args:
        what: was measured.
        seconds: of `alternate`.
        items: that each contender goes through in a round.
        unit: of the figures: items a second.
    """
    (_, ours), *peers = seconds.items()
    rate = items / float(np.median(ours))
    if not peers:
        return [Row(what, rate, unit)]
    return [
        Row(
            what,
            rate,
            unit,
            peer,
            items / float(np.median(theirs)),
            float(np.median(theirs / ours)),
        )
        for peer, theirs in peers
    ]


def fastest(seconds: Mapping[str, np.ndarray], names: Iterable[str]) -> str:
    """Returns the name with the smallest median."""
    return min(names, key=lambda name: float(np.median(seconds[name])))


def as_markdown(rows: Sequence[Row]) -> str:
    """The table; ratios are cut, not rounded, so that none is in our favour."""
    return markdown(
        [
            {
                "part": row.what,
                "ours": _figure(row.ours),
                "unit": row.unit,
                "peer": row.peer,
                "theirs": "" if row.theirs is None else _figure(row.theirs),
                "times as fast": (
                    "" if row.ratio is None else f"{np.floor(100 * row.ratio) / 100:.2f}"
                ),
            }
            for row in rows
        ]
    )


def machine() -> str:
    """Processor, cores, load and the rate of a large matrix product, in one line."""
    described, model = Path("/proc/cpuinfo"), platform.machine()
    if described.exists():
        lines = (line.partition(":") for line in described.read_text().splitlines())
        model = next((value.strip() for key, _, value in lines if "model name" in key), model)
    return (
        f"{model}, {usable_cores()} cores, load {os.getloadavg()[0]:.1f}, "
        f"matrix product {peak_gflops():.0f} GFLOP/s"
    )


def peak_gflops(size: int = 2_048, rounds: int = 5) -> float:
    """Of a large float32 matrix product on all cores: what the machine can do at most."""
    import tensorflow as tf

    a = tf.random.normal((size, size))
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(a, a)))
    (seconds,) = alternate({"product": lambda: product().numpy()}, rounds).values()
    return 2 * size**3 / float(np.min(seconds)) / 1e9


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
