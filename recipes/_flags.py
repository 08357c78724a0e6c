"""The flags that recipes share, in the groups that `--help` shows. Not a recipe itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from absl import flags

from dcase_system.challenge.systems import BASE_CHANNELS as BASE_WIDTHS
from dcase_system.corpora.tau import CLIP_SECONDS
from dcase_system.edge.tflite import FORMATS
from dcase_system.student.plan import StudentPlan

Groups = Mapping[str, tuple[flags.FlagHolder, ...]]

DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "FOLDER: Development clips in the layout of TAU 2022 Mobile; a path, or a URL such "
    "as gs://bucket/TAU. [the demo corpus]",
)
EVALUATION_DIR = flags.DEFINE_string(
    "evaluation_dir",
    None,
    "FOLDER: Unlabelled evaluation clips; without them no package is made. "
    "[none; with the demo corpus its own]",
)
SCENES = flags.DEFINE_list(
    "scenes", None, "NAME: Classes in label order. [those of the clips, sorted]"
)
SECONDS = flags.DEFINE_float(
    "seconds", None, "SECONDS: Length of a clip; all have the same.", lower_bound=0.1
)
CACHE_DIR = flags.DEFINE_string(
    "cache_dir", "data", "FOLDER: The demo corpus and decoded clips, shared by all runs."
)
OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "FOLDER: Where the run is written; the same command goes on there, another one is refused. "
    "[one below runs/]",
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "Begin anew: remove everything that a run has left in the folder, first."
)
AUTHOR_CARD = flags.DEFINE_string(
    "author_card", "submissions/author_card.yaml", "FILE: Who hands in, for the package; YAML."
)
EPOCHS = flags.DEFINE_integer(
    "epochs",
    None,
    "EPOCHS: Passes over the training clips, in all trainings of a system together.",
    lower_bound=1,
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "CLIPS: Clips in a batch; the memory that is needed grows with it.", 2
)
ACCUMULATION = flags.DEFINE_integer(
    "accumulation",
    None,
    "BATCHES: Batches in a step of the optimiser, for steps of more clips than fit into memory.",
    lower_bound=1,
)
LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "RATE: Highest learning rate of the training.", lower_bound=0.0
)
VALIDATION_FRACTION = flags.DEFINE_float(
    "validation_fraction",
    None,
    "SHARE: Share of the training clips held out by location and scored after each epoch, for the "
    "log; 0 to 0.9.",
    lower_bound=0.0,
    upper_bound=0.9,
)
MASK_FRAMES = flags.DEFINE_integer(
    "mask_frames",
    None,
    "FRAMES: Largest time mask of the student, in frames of 1/64 s; 0 masks no time.",
    lower_bound=0,
)
SEED = flags.DEFINE_integer("seed", 0, "Decides everything random.", lower_bound=0)
DISTRIBUTION = flags.DEFINE_enum(
    "distribution",
    "one_device",
    ["one_device", "mirrored", "multi_worker"],
    "Train on one device, on all GPUs of this machine, or on the machines of TF_CONFIG, each with "
    "the same command and run directory.",
)
IMPULSE_RESPONSES = flags.DEFINE_string(
    "impulse_responses",
    None,
    "FOLDER: Impulse responses of microphones; clips of device a are convolved with one of them.",
)
IMPULSE_RESPONSE_PROBABILITY = flags.DEFINE_float(
    "impulse_response_probability",
    0.6,
    "SHARE: Probability, 0 to 1, that a clip of device a is convolved.",
    lower_bound=0.0,
    upper_bound=1.0,
)
DISTILL = flags.DEFINE_bool("distill", True, "Learn from teachers, not from the labels alone.")
TEACHERS = flags.DEFINE_string(
    "teachers",
    None,
    "FOLDER: Teachers of this split to learn from, made by recipes.teachers. "
    "[trained first, in a folder beside --output_dir or where recipes.teachers leaves them]",
)
TEACHER_EPOCHS = flags.DEFINE_integer(
    "teacher_epochs",
    None,
    "EPOCHS: Passes over the training clips in the training of each teacher. "
    "[those of recipes.teachers]",
    lower_bound=1,
)
LABEL_WEIGHT = flags.DEFINE_float(
    "label_weight",
    None,
    "SHARE: Weight of the labels in the loss with teachers, 0 to 1; the rest is the teachers'.",
    lower_bound=0.0,
    upper_bound=1.0,
)
TEMPERATURE = flags.DEFINE_float(
    "temperature",
    None,
    "What logits are divided by in the loss with teachers; a higher one softens them.",
    lower_bound=0.1,
)
MEMBERS = flags.DEFINE_list(
    "members", None, "NAME: Architecture of each teacher: a name, or the .json file of a spec."
)
INITIAL_WEIGHTS = flags.DEFINE_list(
    "initial_weights",
    [],
    "FOLDER: Imported checkpoints that the first teachers start from, in their order.",
)
BASE_CHANNELS = flags.DEFINE_enum(
    "base_channels",
    None,
    list(map(str, BASE_WIDTHS)),
    "Width to prune from, by the smallest ratio that meets the challenge's limits. [the system's]",
)
PRUNING_SCHEDULE = flags.DEFINE_enum(
    "pruning_schedule",
    None,
    ["agp", "linear"],
    "How the share that is pruned grows: fast first (AGP) or evenly. [the system's]",
)
TARGET_MACS = flags.DEFINE_integer(
    "target_macs",
    None,
    "MACS: Multiply-accumulates a clip that the last round of pruning may leave. "
    "[the system's ratio decides]",
    lower_bound=1,
)
TARGET_BYTES = flags.DEFINE_integer(
    "target_bytes",
    None,
    "BYTES: Size at float16 that the last round of pruning may leave. [the system's ratio decides]",
    lower_bound=1,
)
RATIOS = flags.DEFINE_enum(
    "ratios",
    "uniform",
    ["uniform", "global"],
    "With a target: prune every channel group by the same ratio, or rank all channels together.",
)
IMPORTANCE = flags.DEFINE_enum(
    "importance",
    "l2",
    ["l1", "l2", "fpgm", "taylor"],
    "What decides which channels go: the norm of their weights (l1, l2), their distance from the "
    "others (fpgm), or their effect on the loss (taylor).",
)
TFLITE_FORMATS = flags.DEFINE_list(
    "tflite_formats", None, f"FORMAT: Files to make: some of {', '.join(FORMATS)}. [all]"
)
QAT_EPOCHS = flags.DEFINE_integer(
    "qat_epochs",
    None,
    "EPOCHS: Passes in which the int8 file is trained further, with its roundings.",
    lower_bound=1,
)
flags.register_multi_flags_validator(
    ["distill", "teachers"],
    lambda given: given["distill"] or not given["teachers"],
    message="--nodistill learns from no teachers: expected no --teachers",
)
flags.register_validator(
    "tflite_formats",
    lambda given: given is None or (given and set(given) <= set(FORMATS)),
    message=f"expected some of {', '.join(FORMATS)}",
)
flags.register_multi_flags_validator(
    ["qat_epochs", "tflite_formats"],
    lambda given: not given["qat_epochs"] or "int8" in (given["tflite_formats"] or FORMATS),
    message="--qat_epochs trains int8 files: expected int8 in --tflite_formats",
)

OF_TRAINING = (EPOCHS, BATCH_SIZE, ACCUMULATION, LEARNING_RATE, VALIDATION_FRACTION)
OF_PACKAGES = (EVALUATION_DIR, AUTHOR_CARD)
OF_IMPULSE_RESPONSES = (IMPULSE_RESPONSES, IMPULSE_RESPONSE_PROBABILITY)
OF_TEACHERS = (MEMBERS, INITIAL_WEIGHTS)
OF_LEARNING = (DISTILL, TEACHERS, TEACHER_EPOCHS, LABEL_WEIGHT, TEMPERATURE)
OF_PRUNING = (BASE_CHANNELS, PRUNING_SCHEDULE, TARGET_MACS, TARGET_BYTES, RATIOS, IMPORTANCE)
OF_FILES = (TFLITE_FORMATS, QAT_EPOCHS)
# What only the students of the challenge have.
OF_STUDENTS = (MASK_FRAMES, *OF_LEARNING, *OF_PRUNING, *OF_FILES)
# What only trainings of one classifier on the challenge's clips have.
OF_CLASSIFIERS = (*OF_IMPULSE_RESPONSES, *OF_STUDENTS, *OF_TEACHERS)
GROUPS: Groups = {
    "Clips": (DATA_DIR, EVALUATION_DIR, SCENES, SECONDS, CACHE_DIR),
    "Output": (OUTPUT_DIR, OVERWRITE, AUTHOR_CARD),
    "Training": (*OF_TRAINING, MASK_FRAMES, SEED, DISTRIBUTION),
    "Device augmentation": OF_IMPULSE_RESPONSES,
    "Teachers and distillation": (*OF_LEARNING, *OF_TEACHERS),
    "Pruning": OF_PRUNING,
    "Files for devices": OF_FILES,
}
DEMO = "on the demo corpus"
# Of flags that are not given, where a recipe says nothing else.
OF_PLANS = {
    "accumulation": StudentPlan.accumulation,
    "validation_fraction": StudentPlan.validation_fraction,
    "label_weight": StudentPlan.label_weight,
    "temperature": StudentPlan.temperature,
    "seconds": CLIP_SECONDS,
}


def defaults(published: Mapping[str, Any], demo: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a recipe's constants stand for: with `--data_dir`, and without it."""
    return {"": {**OF_PLANS, **published}, DEMO: dict(demo)}


def groups_with(own: Groups) -> Groups:
    """The groups of a recipe, its own flags first, and those that recipes share."""
    return {title: (*own.get(title, ()), *GROUPS.get(title, ())) for title in {**own, **GROUPS}}


def given(some: Iterable[flags.FlagHolder]) -> dict[str, Any]:
    """The values of those flags that are given, by their names."""
    return {flag.name: flag.value for flag in some if flag.value is not None}
