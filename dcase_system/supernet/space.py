"""The search space: a supernet's sub-networks and their costs.

    python -m dcase_system.supernet.space --depth_pattern=X,X,X --json

As a command it counts all sub-networks, and those near each of the paper's sizes.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from absl import flags

from dcase_system.core import cli
from dcase_system.core.errors import InputError


def main(_: Sequence[str]) -> None:
    # These import TensorFlow.
    from dcase_system.supernet.constraints import PAPER_TOLERANCE
    from dcase_system.supernet.search_space import describe, paper_space

    options = flags.FLAGS
    space = paper_space(options.depth_pattern, options.width_per)
    if options.ratios:
        space = replace(space, ratios=tuple(_number(ratio) for ratio in options.ratios))
    values = describe(space)
    if options.json:
        print(json.dumps(values))
        return
    print(f"sub-networks  {values['size']:>9,}")
    print(f"parameters    {values['min_params']:>9,} to {values['max_params']:,}")
    for centre, sub_networks in values["windows"].items():
        print(f"{centre} M ± {PAPER_TOLERANCE / 1e6:g} M {sub_networks:>9,}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            "ratios is wrong",
            where="search space",
            expected="numbers above 0 rising to 1",
            received=text,
        ) from error


# Flags are global to a process: defined on import, they would clash with a recipe's.
def _define_flags() -> None:
    flags.DEFINE_string(
        "depth_pattern",
        "2,2,X",
        "PATTERN: Convolutions in each of the last blocks, X for any number; or none for all.",
    )
    flags.DEFINE_enum(
        "width_per",
        "block",
        ["block", "layer"],
        "Whether each block or each layer has its own width.",
    )
    flags.DEFINE_list("ratios", None, "SHARE: Width ratios, rising to 1. [those of the paper]")
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main)
