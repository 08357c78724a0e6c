"""DCASE 2024 Task 1, whole: every system on all five splits, one validated zip.

    python -m recipes.challenge_package --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION

For each split trains teachers (`recipes.teachers`), unless `--teachers` names them, and each system
(`recipes.split5` ... `recipes.split100`), each in a process of its own with the flags given here,
then packs their outputs. What is done is not done again: the same command goes on where it was
interrupted. The published teachers are PaSST, which need an accelerator: name others in `--members`
or say `--nodistill`. Without --data_dir the demo corpus is used, with smaller networks and on three
splits: ten minutes on two cores are not enough for five.

    python -m recipes.challenge_package --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION --executor=ray

On a Ray cluster each node must see the checkout, the clips, the stores and the output under the
same paths as here, with the same code and versions; this is checked before anything is begun.
"""

from collections.abc import Callable, Sequence

from absl import flags

from dcase_system.challenge.systems import SYSTEMS
from dcase_system.core import cli
from dcase_system.corpora import tau
from recipes._flags import begin, machines, systems

SPLITS = list(map(str, tau.SPLITS))
DEMO = {"systems": ["S1"], "splits": ["5", "25", "100"], "members": ["cp_mobile"]}

flags.DEFINE_list(
    "systems",
    ["S1", "S2c", "S3"],
    f"NAME: Up to four of {', '.join(SYSTEMS)}, in the order of their label index.",
)
flags.DEFINE_list("splits", SPLITS, "PERCENT: Training lists; the organisers want all five.")
flags.DEFINE_integer(
    "seeds",
    1,
    "Trainings of each system on each split, with seeds from --seed on, by the same teachers. The "
    "first ones are handed in; means and deviations are in the report.",
    1,
)
flags.DEFINE_bool(
    "baseline", False, "Train the baseline's network as well, on the labels, for the table."
)
flags.DEFINE_string("technical_report", None, "FILE: PDF that is packed with the outputs.")
flags.adopt_module_key_flags(machines)
flags.adopt_module_key_flags(systems)
flags.register_validator(
    "distribution",
    lambda given: given != "multi_worker",
    message="each recipe of a package trains on one machine: expected one_device or mirrored",
)


def _some_of(known: Sequence[str], most: int) -> Callable[[Sequence[str]], bool]:
    return lambda given: set(given) <= set(known) and 1 <= len(given) == len(set(given)) <= most


for name, known, most in (("systems", list(SYSTEMS), 4), ("splits", SPLITS, 5)):
    flags.register_validator(
        name,
        _some_of(known, most),
        f"unknown, repeated or too many; expected one to {most} of {', '.join(known)}",
    )


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _challenge_package

    _challenge_package.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
