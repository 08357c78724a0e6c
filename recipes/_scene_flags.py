"""The flags of the scene search beside those that recipes share. Not a recipe itself."""

from absl import flags

from dcase_system.corpora.task1b import TRAIN_LIST
from dcase_system.scene_search.space import SizeWindow
from recipes import _executor
from recipes._flags import Groups

CANDIDATES = flags.DEFINE_integer(
    "candidates", None, "Networks that each search trains.", lower_bound=1
)
METHODS = flags.DEFINE_multi_enum(
    "methods", ["random", "nsga2"], ["random", "nsga2"], "Searches to run."
)
FINAL_EPOCHS = flags.DEFINE_integer(
    "final_epochs",
    None,
    "EPOCHS: Passes over the training segments for each chosen network, from scratch.",
    lower_bound=1,
)
SELECT_ON_TEST = flags.DEFINE_bool(
    "select_on_test",
    False,
    "Select candidates on the dev-test clips, as the authors did, not on training clips that are "
    "held out. The test accuracy of the chosen one is then too high.",
)
READING = flags.DEFINE_enum(
    "reading", None, ["paper", "code"], "Stem and padding of the paper or of its code."
)
SMALLEST_KIB = flags.DEFINE_float(
    "smallest_kib", SizeWindow.low, "KIB: Least size of a network at float32."
)
LARGEST_KIB = flags.DEFINE_float(
    "largest_kib", SizeWindow.high, "KIB: Largest size of a network at float32."
)
CORPUS = flags.DEFINE_enum(
    "corpus",
    "task1b",
    ["task1b", "scenes"],
    "What --data_dir holds: clips of DCASE 2020 Task 1B, or mono clips in the layout of TAU 2022 "
    "Mobile.",
)
TRAIN_LIST_NAME = flags.DEFINE_string(
    "train_list", TRAIN_LIST, "FILE: Training list of the corpus, such as split25.csv."
)
SEGMENT_FRAMES = flags.DEFINE_integer(
    "segment_frames", 128, "FRAMES: Length of a segment; a frame is 10 ms.", lower_bound=16
)
SCALOGRAM = flags.DEFINE_enum(
    "scalogram", "paper", ["paper", "code"], "Front end of the paper or of its code."
)
OF_SCALE = (CANDIDATES, FINAL_EPOCHS, READING)
GROUPS: Groups = {
    "Search": (CANDIDATES, METHODS, FINAL_EPOCHS, SELECT_ON_TEST),
    "Networks": (READING, SMALLEST_KIB, LARGEST_KIB),
    "Clips": (CORPUS, TRAIN_LIST_NAME, SEGMENT_FRAMES, SCALOGRAM),
    "Machines": _executor.OF_SEARCHES,
}
TEXTS = _executor.TEXTS_OF_SEARCHES | {
    "data_dir": "FOLDER: Development clips, of the kind that --corpus says. "
    "[the stereo demo corpus]",
    "epochs": "EPOCHS: Passes over the training segments for each candidate.",
    "batch_size": "SEGMENTS: Segments a step.",
    "learning_rate": "RATE: Learning rate of the first epochs; it falls in steps.",
    "validation_fraction": "SHARE: Share of the training clips held out by location to select "
    "candidates on; 0 to 0.9.",
}
