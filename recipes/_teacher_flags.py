"""The flags of the teachers' recipe beside those that recipes share. Not a recipe itself."""

from absl import flags

from dcase_system.corpora import tau
from recipes import _flags  # noqa: F401 (defines --overwrite)
from recipes._flags import Groups

SPLIT = flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
ONLY = flags.DEFINE_integer(
    "only", None, "INDEX: Train this member alone, from 1; the others elsewhere meanwhile. [all]", 1
)
flags.register_multi_flags_validator(
    ["only", "overwrite"],
    lambda given: given["only"] is None or not given["overwrite"],
    message="--overwrite would remove what others train meanwhile: expected it without --only",
)
GROUPS: Groups = {"Teachers": (SPLIT, ONLY)}
