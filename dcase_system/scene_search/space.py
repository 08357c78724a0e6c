"""The search space: its networks, its size window, and random sampling.

    python -m dcase_system.scene_search.space --reading=code --largest_kib=400

As a command it prints the choices (Tables 1 and 2 of the paper), the number of networks, and the
share of random networks within the size window.
"""

import json
from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli


def main(_: Sequence[str]) -> None:
    # Imports TensorFlow.
    from dcase_system.scene_search.scene_space import SceneSpace, SizeWindow, describe

    options = flags.FLAGS
    limits = {"low": options.smallest_kib, "high": options.largest_kib}
    window = SizeWindow(**{end: kib for end, kib in limits.items() if kib is not None})
    space = SceneSpace(options.reading, window)
    space.check()
    values = describe(space)
    if options.json:
        print(json.dumps(values))
        return
    for number, module in values["modules"].items():
        print(f"module {number}  {module}")
    for what, choices in values["choices"].items():
        print(f"{what:<10}{_listed(choices)}")
    print(f"architectures          {values['architectures']:>12,}")
    print(f"within {window!s:<15} {values['within']:>12,}")
    print(f"random draws within    {values['acceptance']:>12.1%}")
    for growth, share in values["acceptance_by_growth"].items():
        print(f"  of growth {growth:<10} {share:>13.1%}")
    for count, share in values["accepted_blocks"].items():
        print(f"of these, {count} blocks     {share:>12.1%}")


def _listed(choices: Sequence[object]) -> str:
    texts = [str(one) for one in choices]
    return ", ".join(texts if len(texts) < 10 else [*texts[:3], "...", texts[-1]])


# Flags are global to a process: defined on import, they would clash with a recipe's.
def _define_flags() -> None:
    flags.DEFINE_enum(
        "reading",
        "paper",
        ["paper", "code"],
        "Stem and padding: as in the paper or as in its code.",
    )
    flags.DEFINE_float(
        "smallest_kib", None, "KIB: Smallest size of a network at float32. [that of the paper]"
    )
    flags.DEFINE_float(
        "largest_kib", None, "KIB: Largest size of a network at float32. [that of the paper]"
    )
    flags.DEFINE_bool("json", False, "Print JSON instead of a table.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main)
