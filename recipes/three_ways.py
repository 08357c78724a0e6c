"""Prune, cut out of a supernet, or search: the ways to a small network side by side.

    python -m recipes.three_ways                            # demo corpus
    python -m recipes.three_ways --data_dir=TAU --split=25 \\
        --teachers=TEACHERS/split_25 --seeds=0,1,2

Teachers have to hold out the same locations: `recipes.teachers --validation_fraction=0.2`.

For each budget of MACs, and 128,000 bytes at float16: SSCP-Mobile trained alone, pruned from a wide
one as S1 is, cut out of one supernet for all budgets and fine-tuned, and the best of some random
depthwise CNNs. All learn from the same clips and teachers; choices are made on held-out locations
(`--validation_fraction`). The report shows accuracy against MACs, the differences with intervals,
and processor hours for one budget and for all. The same command resumes an interrupted run.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.challenge.systems import BASE_CHANNELS, MASK_FRAMES
from dcase_system.core import cli
from dcase_system.corpora import tau
from dcase_system.edge.names import FORMATS
from recipes._flags import (
    augmentation,
    begin,
    clips,
    distillation,
    output,
    set_defaults,
    students,
    training,
)

PUBLISHED = {"epochs": 375, "batch_size": 256, "learning_rate": 0.005, "mask_frames": MASK_FRAMES}
DEMO = {
    "epochs": 6,
    "batch_size": 64,
    "base_channels": 32,
    "budgets": ["5", "20"],
    "candidates": 1,
    "trials": 8,
}

flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
flags.DEFINE_list("budgets", ["5", "10", "20", "30"], "MMACS: Largest millions of MACs.")
flags.DEFINE_integer(
    "base_channels",
    64,
    "Width of the SSCP-Mobile that is pruned, and of the supernet; the report has "
    f"{', '.join(map(str, BASE_CHANNELS))}.",
    lower_bound=16,
)
flags.DEFINE_list("seeds", ["0"], "SEED: Seeds of the repetitions.")
flags.DEFINE_integer(
    "supernet_epochs",
    None,
    "EPOCHS: Epochs of the supernet, after those of the wide network. [two fifths of --epochs]",
    1,
)
flags.DEFINE_integer(
    "tuning_epochs",
    None,
    "EPOCHS: Epochs of fine-tuning of each sub-network. [a fifth of --epochs]",
    1,
)
flags.DEFINE_integer("samples", 4, "K: Sub-networks in each step of the supernet.", 1)
flags.DEFINE_enum(
    "sampling",
    "sandwich",
    ["uniform", "sandwich"],
    "Sub-networks of a step: K random ones, or the largest, the smallest and K - 2 others.",
)
flags.DEFINE_bool(
    "in_place", True, "The others learn from the largest one of a step (sandwich sampling only)."
)
flags.DEFINE_bool(
    "divergence", True, "They learn by the clipped alpha-divergence (with --in_place only)."
)
flags.DEFINE_bool(
    "sorted_channels", True, "Sort the wide network's channels by importance for the supernet."
)
flags.DEFINE_integer("trials", 25, "Sub-networks scored for each budget.", 1)
flags.DEFINE_integer(
    "candidates", 4, "Random depthwise CNNs trained for each budget; 0 leaves this way out.", 0
)
flags.DEFINE_integer(
    "candidate_epochs", None, "EPOCHS: Epochs of each of these. [a tenth of --epochs]", 1
)
flags.DEFINE_integer(
    "ranked",
    0,
    "Sub-networks of all sizes that are trained alone as well, to compare their ranking with that "
    "by inherited weights.",
    lower_bound=0,
)
flags.DEFINE_list(
    "tflite_formats",
    ["float16"],
    f"FORMAT: Formats of the tuned sub-networks' files: some of {', '.join(FORMATS)}, or none.",
)
flags.register_validator(
    "tflite_formats",
    lambda given: set(given) <= set(FORMATS),
    message=f"expected some of {', '.join(FORMATS)}",
)
for group in (clips, output, students, training, augmentation, distillation):
    flags.adopt_module_key_flags(group)
# Repetitions have seeds of their own, and teachers are never trained here.
for name in ("steps", "seed", "ema_decay", "distill", "teachers", "teacher_epochs"):
    delattr(flags.FLAGS, name)
flags.DEFINE_string("teachers", None, "FOLDER: Teachers of the split, trained by recipes.teachers.")
set_defaults(PUBLISHED | {"validation_fraction": 0.2})


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _three_ways

    _three_ways.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
