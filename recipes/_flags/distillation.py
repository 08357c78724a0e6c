"""Teachers and distillation."""

from absl import flags

flags.DEFINE_bool("distill", True, "Learn from teachers, not from the labels alone.")
flags.DEFINE_string(
    "teachers",
    None,
    "FOLDER: Teachers of the split to learn from, made by recipes.teachers; for a package, of all "
    "splits, in folders split_5 ... split_100. [trained first: in the package, beside "
    "--output_dir, or where recipes.teachers leaves them]",
)
flags.DEFINE_integer(
    "teacher_epochs",
    None,
    "EPOCHS: Passes over the training clips in the training of each teacher. "
    "[those of recipes.teachers]",
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
    "What logits are divided by in the loss with teachers; a higher one softens them.",
    lower_bound=0.1,
)
