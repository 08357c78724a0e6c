"""The flags of the package's recipe beside those that recipes share. Not a recipe itself."""

from typing import Any

from absl import flags

from dcase_system.challenge.systems import SYSTEMS as KNOWN
from recipes import _executor, _flags
from recipes._flags import Groups

SYSTEMS = flags.DEFINE_list(
    "systems",
    None,
    f"NAME: Up to four of {', '.join(KNOWN)}, in the order of their label index.",
)
SPLITS = flags.DEFINE_list("splits", None, "PERCENT: Training lists; the organisers want all five.")
BASELINE = flags.DEFINE_bool(
    "baseline", False, "Train the baseline's network as well, on the labels, for the table."
)
TECHNICAL_REPORT = flags.DEFINE_string(
    "technical_report", None, "FILE: PDF that is packed with the outputs."
)
SEEDS = flags.DEFINE_integer(
    "seeds",
    1,
    "Trainings of each system on each split, with seeds from --seed on, by the same teachers. The "
    "first ones are handed in; means and deviations are in the report.",
    lower_bound=1,
)
flags.register_validator(
    "distribution",
    lambda given: given != "multi_worker",
    message="each recipe of a package trains on one machine: expected one_device or mirrored",
)
GROUPS: Groups = {
    "Package": (SYSTEMS, SPLITS, SEEDS, BASELINE, TECHNICAL_REPORT),
    "Machines": _executor.FLAGS,
}
TEXTS = {
    "evaluation_dir": "FOLDER: Unlabelled evaluation clips. [none; with the demo corpus its own]",
    "epochs": "EPOCHS: Passes over the training clips, in all trainings of a system together; of "
    "teachers see --teacher_epochs. [those of the split's recipe]",
    "batch_size": "CLIPS: Clips in a batch of a system. [those of the split's recipe]",
    "learning_rate": "RATE: Highest learning rate for a system. [that of the split's recipe]",
    "teachers": "FOLDER: Teachers to learn from, in folders split_5 ... split_100. [trained here]",
}

# Everything but what the package's recipe sets itself goes on to the others.
_TO_ALL = (
    _flags.DATA_DIR,
    _flags.SCENES,
    _flags.SECONDS,
    _flags.CACHE_DIR,
    _flags.SEED,
    _flags.VALIDATION_FRACTION,
    _flags.DISTRIBUTION,
    *_flags.OF_IMPULSE_RESPONSES,
)
TO_TEACHERS = (*_TO_ALL, _flags.INITIAL_WEIGHTS)
TO_STUDENTS = (
    *_TO_ALL,
    *_flags.OF_PACKAGES,
    _flags.EPOCHS,
    _flags.BATCH_SIZE,
    _flags.ACCUMULATION,
    _flags.LEARNING_RATE,
    _flags.MASK_FRAMES,
    _flags.LABEL_WEIGHT,
    _flags.TEMPERATURE,
    *_flags.OF_FILES,
)
_OF_SYSTEMS = (*_flags.OF_PRUNING, *_flags.OF_LEARNING, BASELINE)
# What names clips, whose lists are compared, or changes no result.
_NOT_COMPARED = (
    _flags.DATA_DIR,
    _flags.SCENES,
    _flags.CACHE_DIR,
    _flags.SEED,
    _flags.DISTRIBUTION,
    *_flags.OF_PACKAGES,
)


def deciding() -> dict[str, Any]:
    """The values of the flags that decide what the recipes of a package train and write."""
    given = _flags.given((*TO_TEACHERS, *TO_STUDENTS, *_OF_SYSTEMS))
    apart = {flag.name for flag in _NOT_COMPARED}
    return {name: value for name, value in given.items() if name not in apart}
