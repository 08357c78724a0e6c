"""Recordings."""

from absl import flags

from dcase_system.sounds.targets import TARGETS

flags.DEFINE_string(
    "data_dir",
    None,
    "FOLDER: Recordings in a folder for each class (below train/ and test/, if these are decided), "
    "or a .csv table with the columns file and label (several as dog;rain), and any of group, "
    "start, end, part. "
    "[recordings made of the demo corpus]",
)
flags.DEFINE_string(
    "group_pattern",
    None,
    "REGEX: Recordings whose paths have the same match (or first group) are not divided between "
    "training and test; '([^/]*)_[^_]*$' groups siteA_1.wav with siteA_2.wav. [each alone]",
)
flags.DEFINE_float("seconds", 1.0, "SECONDS: Length of a window.", lower_bound=0.1)
flags.DEFINE_float(
    "hop_seconds",
    None,
    "SECONDS: Time from the start of one window to the next. [the length of a window]",
    lower_bound=0.05,
)
flags.DEFINE_float(
    "test_fraction",
    0.2,
    "SHARE: Share of each class's windows to test on, unless there is a test part.",
    lower_bound=0.05,
    upper_bound=0.5,
)
flags.DEFINE_enum(
    "target", "cortex-m7", list(TARGETS), "Device whose budget the network must meet."
)
flags.DEFINE_bool(
    "fast",
    False,
    "Train one network at its final width on the labels alone, without teachers and pruning.",
)
flags.DEFINE_bool(
    "balanced", False, "Draw all classes equally often in training, however rare their windows."
)
flags.DEFINE_string(
    "unknown_class",
    None,
    "CLASS: Class of sounds that should be rejected, reported apart. [unknown, background]",
)
flags.DEFINE_float(
    "false_rejections",
    None,
    "SHARE: Set a threshold that rejects at most this share of the held-out windows of other "
    "classes; classify --reject then answers unknown below it. As much as for the test is held out "
    "for it, unless there is a validation part. [no threshold]",
    lower_bound=0.001,
    upper_bound=0.5,
)
flags.DEFINE_integer(
    "epochs", None, "EPOCHS: Total epochs of all trainings. [2,000 steps; 600 with --fast]", 1
)
flags.DEFINE_string(
    "cache_dir", "data", "FOLDER: Cache for the demo corpus and decoded clips, shared by all runs."
)
