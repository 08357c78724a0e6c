"""Teachers and distillation."""

from absl import flags

from dcase_system.challenge.members import PUBLISHED_MEMBERS

flags.DEFINE_list(
    "members",
    list(PUBLISHED_MEMBERS),
    "NAME: Architecture of each teacher: a name, a .json spec file, or a pretrained embedding "
    "network (.tflite file or SavedModel folder), on which a linear classifier is trained.",
)
flags.DEFINE_integer(
    "embedding_rate",
    16_000,
    "HERTZ: Sample rate of the input of embedding networks; divides 32000.",
    lower_bound=1,
)
flags.DEFINE_string(
    "embedding_output",
    None,
    "NAME: Output of the embedding networks that holds the embedding. [the only one]",
)
flags.DEFINE_list(
    "initial_weights",
    [],
    "FOLDER: Imported checkpoints for the first teachers to start from, in their order.",
)
flags.DEFINE_bool(
    "frozen",
    False,
    "Train only the classifier of teachers with initial weights: for small lists.",
)
flags.DEFINE_bool(
    "half_without_responses",
    False,
    "Train the first, third, ... teacher of each architecture without the impulse responses.",
)
flags.DEFINE_integer(
    "folds",
    1,
    "Folds of recording locations: the teachers leave out one fold each, in turn, and give their "
    "logits for that fold alone; 1 trains all on all locations.",
    lower_bound=1,
)
