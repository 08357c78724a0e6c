"""Teachers and distillation."""

from absl import flags

flags.DEFINE_bool("distill", True, "Learn from teachers as well as from the labels.")
flags.DEFINE_string(
    "teachers",
    None,
    "FOLDER: Teachers of the split, trained by recipes.teachers; for a package, teachers of all "
    "splits, in folders split_5 ... split_100. [trained first: in the package, beside "
    "--output_dir, or in the default folder of recipes.teachers]",
)
flags.DEFINE_integer(
    "teacher_epochs",
    None,
    "EPOCHS: Epochs of training for each teacher. [those of recipes.teachers]",
    1,
)
flags.DEFINE_float(
    "label_weight",
    0.02,
    "SHARE: Weight of the labels in the loss with teachers, 0 to 1; the rest is the teachers'.",
    lower_bound=0.0,
    upper_bound=1.0,
)
flags.DEFINE_float(
    "temperature",
    2.0,
    "Temperature of distillation, which divides the logits; higher values soften them.",
    lower_bound=0.1,
)
flags.DEFINE_enum(
    "teaching",
    "stored",
    ["stored", "consistent"],
    "What the student learns from: the teachers' stored logits of the clean clips, or their answer "
    "in every step to the augmented waveforms that it gets (a step takes longer).",
)
flags.DEFINE_enum(
    "average",
    "logits",
    ["logits", "probabilities"],
    "What is averaged over the teachers.",
)
