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
    "2,2,X",
    "PATTERNS: Search spaces, between semicolons: the convolutions of each of the last blocks, X "
    "for any number, or none for all. The tables are made with the first.",
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
TEACHER_EPOCHS = flags.DEFINE_integer(
    "teacher_epochs", None, "EPOCHS: Passes over the clips for the teacher.", lower_bound=1
)
LARGEST_EPOCHS = flags.DEFINE_integer(
    "largest_epochs",
    None,
    "EPOCHS: Passes for the supernet with its largest sub-network alone, first.",
    lower_bound=1,
)
SAMPLES_EPOCHS = flags.DEFINE_integer(
    "samples_epochs",
    None,
    "EPOCHS: Passes for the supernet with four sub-networks a step, then.",
    lower_bound=1,
)
ALONE_EPOCHS = flags.DEFINE_integer(
    "alone_epochs",
    None,
    "EPOCHS: Passes for each of the networks to compare with.",
    lower_bound=1,
)
TUNING_EPOCHS = flags.DEFINE_list(
    "tuning_epochs",
    None,
    "EPOCHS: Passes for the tuned sub-networks, two numbers: fewer and more.",
)
OF_SCALE = (
    _flags.SECONDS,
    WIDTH,
    DRAWS,
    TEACHER_EPOCHS,
    LARGEST_EPOCHS,
    SAMPLES_EPOCHS,
    ALONE_EPOCHS,
)
GROUPS: Groups = {
    "Clips": (CORPUS, MIXTURES, MIXTURE_SECONDS),
    "Supernet and search": (WIDTH, PATTERNS, SAMPLING, IN_PLACE, DRAWS, RANKED),
    "Training": (
        TEACHER_EPOCHS,
        LARGEST_EPOCHS,
        SAMPLES_EPOCHS,
        ALONE_EPOCHS,
        TUNING_EPOCHS,
        SCHEDULE,
    ),
    "Machines": _executor.OF_SEARCHES,
}
TEXTS = _executor.TEXTS_OF_SEARCHES | {
    "data_dir": "FOLDER: Development clips, of the kind that --corpus says. [the demo corpus]",
}


def integers(flag: flags.FlagHolder, count: int) -> list[int]:
    """The positive integers of a flag; none if it is not given.

    Raises:
        InputError: it holds something else, or not so many.
    """
    given = flag.value or []
    if given and (len(given) != count or not all(one.isdecimal() and int(one) for one in given)):
        raise InputError(
            "wrong list",
            where=f"--{flag.name}",
            expected=f"{count} positive integers",
            received=",".join(given),
        )
    return [int(one) for one in given]
