"""Teachers of one split, for its students to learn from.

    python -m recipes.teachers --split=25 --data_dir=DEVELOPMENT \\
        --impulse_responses=DIR --initial_weights=IMPORTED,IMPORTED,IMPORTED

Trains the members one after the other on the clips of the split alone and stores their logits; a
finished member is not trained again. Give the folder to the students: `--teachers=DIR`. As in the
report, the default are four PaSST: the first ones start from the imported checkpoints that
`--initial_weights` names in their order, the others from scratch. PaSST needs an accelerator and
pretraining; `--members=cp_mobile_teacher,...` are teachers for a CPU. Without --data_dir two small
members are trained on the embedded demo corpus.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.challenge.members import (
    CONVOLUTIONAL,
    DEMO,
    DEMO_EPOCHS,
    DEMO_MEMBERS,
    PASST,
    PASST_FROM_SCRATCH,
)
from dcase_system.core import cli
from dcase_system.corpora import tau
from recipes._flags import augmentation, begin, clips, devices, output, teachers, training

flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
flags.DEFINE_integer(
    "only", None, "INDEX: Train this member alone, from 1; the others elsewhere meanwhile. [all]", 1
)
flags.DEFINE_integer(
    "epochs", None, "EPOCHS: Passes over the training clips in the training of each teacher.", 1
)
for group in (clips, output, training, devices, augmentation, teachers):
    flags.adopt_module_key_flags(group)
flags.register_multi_flags_validator(
    ["only", "overwrite"],
    lambda given: given["only"] is None or not given["overwrite"],
    message="--overwrite would remove what others train meanwhile: expected it without --only",
)


def main(_: Sequence[str]) -> None:
    begin({})
    from recipes import _teachers

    _teachers.run()


if __name__ == "__main__":
    cli.run(
        main,
        {
            "for PaSST with initial weights": PASST,
            "for PaSST from scratch": PASST_FROM_SCRATCH,
            "for others": CONVOLUTIONAL,
            "on the demo corpus": {
                **DEMO,
                "epochs": f"{DEMO_EPOCHS[5]} to {DEMO_EPOCHS[100]}, by split,",
                "members": DEMO_MEMBERS,
            },
        },
    )
