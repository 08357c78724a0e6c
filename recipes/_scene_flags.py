"""The flags of the scene search beside those that recipes share. Not a recipe itself."""

from absl import flags

from dcase_system.scene_search.space import SizeWindow
from recipes import _executor, _scene_clips
from recipes._flags import Groups

CANDIDATES = flags.DEFINE_integer(
    "candidates", None, "Networks that each search trains.", lower_bound=1
)
METHODS = flags.DEFINE_multi_enum(
    "methods", ["random"], ["random", "nsga2"], "Searches to run; the paper's is the random one."
)
FINAL_EPOCHS = flags.DEFINE_integer(
    "final_epochs",
    None,
    "EPOCHS: Passes over the training segments for each chosen network, from scratch.",
    lower_bound=1,
)
AS_PUBLISHED = flags.DEFINE_bool(
    "as_published",
    False,
    "Train candidates on the whole training list and select them on the dev-test clips, so that "
    "the test accuracy of what is chosen is too high; and leave the moving statistics of batch "
    "norm as a training ends with them.",
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
OF_SCALE = (CANDIDATES, FINAL_EPOCHS, READING)
GROUPS: Groups = {
    "Search": (CANDIDATES, METHODS, FINAL_EPOCHS, AS_PUBLISHED),
    "Networks": (READING, SMALLEST_KIB, LARGEST_KIB),
    **_scene_clips.GROUPS,
    "Machines": _executor.OF_SEARCHES,
}
TEXTS = {
    **_executor.TEXTS_OF_SEARCHES,
    **_scene_clips.TEXTS,
    "epochs": "EPOCHS: Passes over the training segments for each candidate.",
    "validation_fraction": "SHARE: Share of the training clips held out by location to select "
    "candidates on; 0 to 0.9.",
}
