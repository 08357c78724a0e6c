"""Supernet and search."""

from collections.abc import Callable, Sequence

from absl import flags

from recipes._flags import clips, devices, output, search, training

flags.DEFINE_enum(
    "corpus",
    "audioset",
    ["audioset", "mixtures"],
    "What --data_dir holds: AudioSet, or clips in the layout of TAU 2022 Mobile to make mixtures "
    "of.",
)
flags.DEFINE_list(
    "mixtures", None, "CLIPS: Mixtures to train on, to search on and to test on, three numbers."
)
flags.DEFINE_float(
    "mixture_seconds",
    None,
    "SECONDS: Length of a mixture, at least that of a clip. [that of a clip]",
    lower_bound=0.1,
)
flags.DEFINE_float(
    "width",
    1.0,
    "SHARE: Channels of the supernet as a share of CNN10's, 0.05 to 1.",
    lower_bound=0.05,
    upper_bound=1.0,
)
flags.DEFINE_string(
    "patterns",
    "2,2,X;2,X,X;X,X,X;none",
    "PATTERNS: Search spaces, between semicolons: the convolutions of each of the last blocks, X "
    "for any number, or none for all. The tables are made with the first.",
)
flags.DEFINE_enum(
    "width_per",
    "block",
    ["block", "layer"],
    "What has a width of its own: a block, as the paper says, or each of its layers.",
)
flags.DEFINE_enum(
    "sampling",
    "uniform",
    ["uniform", "sandwich"],
    "The four sub-networks of a step: drawn, or the largest, the smallest and two drawn.",
)
flags.DEFINE_bool(
    "in_place",
    False,
    "Let the others of a step learn from the largest of it; needs --sampling=sandwich.",
)
flags.DEFINE_list(
    "budgets",
    None,
    "MILLIONS: Parameters of the sub-networks to search for. "
    "[0.8,1.8,2.8,3.8; with --width other than 1 the same shares of the supernet's]",
)
flags.DEFINE_float(
    "tolerance",
    None,
    "MILLIONS: How far from a budget parameters may be. "
    "[0.2; with --width other than 1 the same share of the supernet's]",
    lower_bound=0.0,
)
flags.DEFINE_integer("draws", 25, "Sub-networks that each search scores.", lower_bound=1)
flags.DEFINE_bool("evolution", False, "Search with NSGA-II too, with as many sub-networks.")
flags.DEFINE_integer(
    "ranked",
    0,
    "Sub-networks that are also trained alone, to see whether the supernet ranks them alike.",
    lower_bound=0,
)
flags.DEFINE_integer(
    "teacher_steps",
    400_000,
    "STEPS: Steps of the optimiser for the teacher; as all trainings here, it ends with a whole "
    "pass over the clips.",
    1,
)
flags.DEFINE_integer(
    "largest_steps",
    100_000,
    "STEPS: Steps for a supernet with its largest sub-network alone, first.",
    1,
)
flags.DEFINE_integer(
    "samples_steps", 200_000, "STEPS: Steps for a supernet with four sub-networks each, then.", 1
)
flags.DEFINE_integer(
    "alone_steps", 100_000, "STEPS: Steps for each of the networks to compare with.", 1
)
flags.DEFINE_list(
    "tuning_steps",
    ["10000", "100000"],
    "STEPS: Steps for the tuned sub-networks, two numbers: fewer and more.",
)
flags.DEFINE_enum(
    "schedule", "constant", ["constant", "warmup_cosine"], "How the learning rate goes."
)
flags.DEFINE_list(
    "tflite_formats",
    ["float16", "int8"],
    "FORMAT: Files of each chosen network: some of float32, float16, dynamic, int8. All are scored "
    "on the test clips.",
)


def _integers(count: int) -> Callable[[Sequence[str] | None], bool]:
    return lambda given: (
        not given or (len(given) == count and all(one.isdecimal() and int(one) for one in given))
    )


def _numbers(given: Sequence[str] | None) -> bool:
    try:
        return all(float(one) > 0 for one in given or [])
    except ValueError:
        return False


flags.register_validator("mixtures", _integers(3), "expected 3 positive integers")
flags.register_validator("tuning_steps", _integers(2), "expected 2 positive integers")
flags.register_validator("budgets", _numbers, "expected millions of parameters, such as 0.8,1.8")
for group in (clips, output, training, devices, search):
    flags.adopt_module_key_flags(group)
