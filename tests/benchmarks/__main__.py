"""The speed table: ratios of each part to its peers, measured in turns.

    python -m tests.benchmarks [--part=ingest --part=front_end ...] [--rounds=5]

Needs requirements-bench.txt. The machine should have nothing else to do.
"""

import importlib
from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli
from tests.benchmarks import harness

PARTS = ("ingest", "front_end", "training", "teachers", "supernet", "inference")


def main(_: Sequence[str]) -> None:
    options = flags.FLAGS
    print(harness.machine(), flush=True)
    for part in options.part or PARTS:
        module = importlib.import_module(f"tests.benchmarks.bench_{part}")
        print(harness.as_markdown(module.rows(options.rounds)), flush=True)


if __name__ == "__main__":
    flags.DEFINE_multi_enum("part", None, PARTS, "To measure; by default all.")
    flags.DEFINE_integer("rounds", 5, "In each all have their turn.", lower_bound=5)
    cli.run(main)
