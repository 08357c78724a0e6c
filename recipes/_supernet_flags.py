"""The flags of the supernet's recipe beside those that recipes share. Not a recipe itself."""

from absl import flags

from dcase_system.errors import InputError
from recipes import _executor, _flags
from recipes._flags import Groups

CORPUS = flags.DEFINE_enum(
    "corpus",
    "audioset",
    ["audioset", "mixtures"],
    "What --data_dir holds: AudioSet, or clips in the layout of TAU 2022 Mobile to make mixtures "
    "of.",
)
MIXTURES = flags.DEFINE_list(
    "mixtures",
    None,
    "CLIPS: Mixtures to train on, to search on and to test on, three numbers.",
)
MIXTURE_SECONDS = flags.DEFINE_float(
    "mixture_seconds",
    None,
    "SECONDS: Length of a mixture, at least that of a clip. [that of a clip]",
    lower_bound=0.1,
)
WIDTH = flags.DEFINE_float(
    "width",
    None,
    "SHARE: Channels of the supernet as a share of CNN10's, 0.05 to 1.",
    lower_bound=0.05,
    upper_bound=1.0,
)
PATTERNS = flags.DEFINE_string(
    "patterns",
    None,
    "PATTERNS: Search spaces, between semicolons: the convolutions of each of the last blocks, X "
    "for any number, or none for all. The tables are made with the first.",
)
WIDTH_PER = flags.DEFINE_enum(
    "width_per",
    "block",
    ["block", "layer"],
    "What has a width of its own: a block, as the paper says, or each of its layers.",
)
BUDGETS = flags.DEFINE_list(
    "budgets",
    None,
    "MILLIONS: Parameters of the sub-networks to search for. "
    "[0.8,1.8,2.8,3.8; with --width other than 1 the same shares of the supernet's]",
)
TOLERANCE = flags.DEFINE_float(
    "tolerance",
    None,
    "MILLIONS: How far from a budget parameters may be. "
    "[0.2; with --width other than 1 the same share of the supernet's]",
    lower_bound=0.0,
)
EVOLUTION = flags.DEFINE_bool(
    "evolution", False, "Search with NSGA-II too, with as many sub-networks."
)
DRAWS = flags.DEFINE_integer("draws", None, "Sub-networks that each search scores.", lower_bound=1)
RANKED = flags.DEFINE_integer(
    "ranked",
    0,
    "Sub-networks that are also trained alone, to see whether the supernet ranks them alike.",
    lower_bound=0,
)
SAMPLING = flags.DEFINE_enum(
    "sampling",
    "uniform",
    ["uniform", "sandwich"],
    "The four sub-networks of a step: drawn, or the largest, the smallest and two drawn.",
)
IN_PLACE = flags.DEFINE_bool(
    "in_place",
    False,
    "Let the others of a step learn from the largest of it; needs --sampling=sandwich.",
)
SCHEDULE = flags.DEFINE_enum(
    "schedule", "constant", ["constant", "warmup_cosine"], "How the learning rate goes."
)
TEACHER_STEPS = flags.DEFINE_integer(
    "teacher_steps",
    None,
    "STEPS: Steps of the optimiser for the teacher; as all trainings here, it ends with a whole "
    "pass over the clips.",
    lower_bound=1,
)
LARGEST_STEPS = flags.DEFINE_integer(
    "largest_steps",
    None,
    "STEPS: Steps for a supernet with its largest sub-network alone, first.",
    lower_bound=1,
)
SAMPLES_STEPS = flags.DEFINE_integer(
    "samples_steps",
    None,
    "STEPS: Steps for a supernet with four sub-networks each, then.",
    lower_bound=1,
)
ALONE_STEPS = flags.DEFINE_integer(
    "alone_steps",
    None,
    "STEPS: Steps for each of the networks to compare with.",
    lower_bound=1,
)
TUNING_STEPS = flags.DEFINE_list(
    "tuning_steps",
    None,
    "STEPS: Steps for the tuned sub-networks, two numbers: fewer and more.",
)
OF_SCALE = (
    *(_flags.SECONDS, WIDTH, PATTERNS, DRAWS),
    *(TEACHER_STEPS, LARGEST_STEPS, SAMPLES_STEPS, ALONE_STEPS),
)
GROUPS: Groups = {
    "Clips": (CORPUS, MIXTURES, MIXTURE_SECONDS),
    "Supernet and search": (
        *(WIDTH, PATTERNS, WIDTH_PER, SAMPLING, IN_PLACE),
        *(BUDGETS, TOLERANCE, DRAWS, EVOLUTION, RANKED),
    ),
    "Training": (
        *(TEACHER_STEPS, LARGEST_STEPS, SAMPLES_STEPS, ALONE_STEPS, TUNING_STEPS),
        SCHEDULE,
    ),
    "Machines": _executor.OF_SEARCHES,
}
TEXTS = _executor.TEXTS_OF_SEARCHES | {
    "tflite_formats": "FORMAT: Files of each chosen network: some of float32, float16, dynamic, "
    "int8. All are scored on the test clips.",
    "data_dir": "FOLDER: Development clips, of the kind that --corpus says. [the demo corpus]",
}


def integers(flag: flags.FlagHolder, count: int) -> list[int]:
    """The positive integers of a flag; none if it is not given.

    Raises:
        InputError: it holds something else, or not so many.
    """
    given = flag.value or []
    if given and (len(given) != count or not all(one.isdecimal() and int(one) for one in given)):
        raise _wrong(flag, f"{count} positive integers")
    return [int(one) for one in given]


def budgets() -> tuple[float, ...] | None:
    """Parameters of the sub-networks to search for; None if the flag is not given.

    Raises:
        InputError: the flag holds something else than numbers.
    """
    if BUDGETS.value is None:
        return None
    try:
        return tuple(1e6 * float(one) for one in BUDGETS.value)
    except ValueError as error:
        raise _wrong(BUDGETS, "millions of parameters, such as 0.8,1.8") from error


def tolerance() -> float | None:
    """In parameters; None if the flag is not given."""
    return None if TOLERANCE.value is None else 1e6 * TOLERANCE.value


def _wrong(flag: flags.FlagHolder, expected: str) -> InputError:
    received = ",".join(flag.value)
    return InputError("wrong list", where=f"--{flag.name}", expected=expected, received=received)
