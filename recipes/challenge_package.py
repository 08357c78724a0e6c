"""The complete DCASE 2024 Task 1 submission: every system on all five splits, one validated zip.

    python -m recipes.challenge_package --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION

For each split, trains teachers (`recipes.teachers`), unless `--teachers` names them, and then each
system (`recipes.split5` ... `recipes.split100`), each in its own process with the flags given here;
then packages their outputs. After an interruption, the same command resumes. The published teachers
are PaSST, which need a GPU: choose others with `--members`, or none with `--nodistill`. Without
--data_dir the recipe uses the demo corpus with smaller networks and three splits, because five take
more than ten minutes on two cores.

    python -m recipes.challenge_package --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION --executor=ray

On a Ray cluster, every node must see the checkout, the clips, the waveform stores and the output
under the same paths as here, with the same code and versions; this is checked before any work.
"""

from collections.abc import Callable, Sequence

from absl import flags

from dcase_system.challenge.systems import PACKED
from dcase_system.core import cli
from dcase_system.corpora import tau
from recipes._flags import begin, machines, systems

SPLITS = list(map(str, tau.SPLITS))
DEMO = {"systems": ["S1"], "splits": ["5", "25", "100"], "members": ["cp_mobile"]}

flags.DEFINE_list(
    "systems",
    ["S1", "S2c", "S3"],
    f"NAME: Up to four of {', '.join(PACKED)}, in the order of their label index.",
)
flags.DEFINE_list("splits", SPLITS, "PERCENT: Training lists; the organisers want all five.")
flags.DEFINE_integer(
    "seeds",
    1,
    "Number of trainings of each system on each split, with consecutive seeds from --seed and the "
    "same teachers. The first is submitted; the report has means and deviations.",
    1,
)
flags.DEFINE_bool(
    "baseline", False, "Also train the baseline network, on the labels, for the results table."
)
flags.DEFINE_string("technical_report", None, "FILE: PDF to package with the outputs.")
flags.adopt_module_key_flags(machines)
flags.adopt_module_key_flags(systems)
flags.register_validator(
    "distribution",
    lambda given: given != "multi_worker",
    message="each recipe of a package trains on one machine: expected one_device or mirrored",
)


def _some_of(known: Sequence[str], most: int) -> Callable[[Sequence[str]], bool]:
    return lambda given: set(given) <= set(known) and 1 <= len(given) == len(set(given)) <= most


for name, known, most in (("systems", PACKED, 4), ("splits", SPLITS, 5)):
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
