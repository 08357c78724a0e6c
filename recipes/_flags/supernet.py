"""Supernet and search."""

from collections.abc import Callable, Sequence

from absl import flags

from recipes._flags import clips, devices, output, search, training

flags.DEFINE_enum(
    "corpus",
    "audioset",
    ["audioset", "mixtures"],
    "Content of --data_dir: AudioSet, or clips in the layout of TAU 2022 Mobile to mix.",
)
flags.DEFINE_list("mixtures", None, "CLIPS: Numbers of mixtures for training, search and test.")
flags.DEFINE_float(
    "mixture_seconds",
    None,
    "SECONDS: Length of a mixture; at least that of a clip. [that of a clip]",
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
    "PATTERNS: Search spaces, separated by semicolons: the numbers of convolutions of the last "
    "blocks, X for any number, or none for all. The tables use the first.",
)
flags.DEFINE_enum(
    "width_per",
    "block",
    ["block", "layer"],
    "Whether each block has its own width, as in the paper, or each layer.",
)
flags.DEFINE_enum(
    "sampling",
    "uniform",
    ["uniform", "sandwich"],
    "The four sub-networks of a step: all random, or the largest, the smallest and two random.",
)
flags.DEFINE_bool(
    "in_place",
    False,
    "In-place distillation: the largest sub-network of a step teaches the others; needs "
    "--sampling=sandwich.",
)
flags.DEFINE_list(
    "budgets",
    None,
    "MILLIONS: Parameter budgets to search sub-networks for. "
    "[0.8,1.8,2.8,3.8; with --width other than 1 the same shares of the supernet's]",
)
flags.DEFINE_float(
    "tolerance",
    None,
    "MILLIONS: Largest deviation from a budget. "
    "[0.2; with --width other than 1 the same share of the supernet's]",
    lower_bound=0.0,
)
flags.DEFINE_integer("draws", 25, "Sub-networks to score in each search.", lower_bound=1)
flags.DEFINE_bool("evolution", False, "Also search with NSGA-II, with as many sub-networks.")
flags.DEFINE_integer(
    "ranked",
    0,
    "Sub-networks to train alone as well, to compare their ranking with the supernet's.",
    lower_bound=0,
)
flags.DEFINE_integer(
    "teacher_steps",
    400_000,
    "STEPS: Optimiser steps for the teacher; like every training here, rounded up to whole epochs.",
    1,
)
flags.DEFINE_integer(
    "largest_steps",
    100_000,
    "STEPS: Steps for a supernet's first phase, with its largest sub-network alone.",
    1,
)
flags.DEFINE_integer(
    "samples_steps", 200_000, "STEPS: Steps for the second phase, with four sub-networks each.", 1
)
flags.DEFINE_integer(
    "alone_steps", 100_000, "STEPS: Steps for each network trained alone for comparison.", 1
)
flags.DEFINE_list(
    "tuning_steps",
    ["10000", "100000"],
    "STEPS: Steps of fine-tuning, two numbers: a shorter and a longer one.",
)
flags.DEFINE_enum("schedule", "constant", ["constant", "warmup_cosine"], "Learning rate schedule.")
flags.DEFINE_list(
    "tflite_formats",
    ["float16", "int8"],
    "FORMAT: Formats to export for each selected network: some of float32, float16, dynamic, int8. "
    "All are scored on the test clips.",
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
