"""Clips."""

from absl import flags

from dcase_system.corpora.tau import CLIP_SECONDS

flags.DEFINE_string(
    "data_dir",
    None,
    "FOLDER: Development clips, in the layout of TAU 2022 Mobile unless --corpus says otherwise; a "
    "path, or a URL such as gs://bucket/TAU. [the demo corpus]",
)
flags.DEFINE_list("scenes", None, "NAME: Classes in label order. [those of the clips, sorted]")
flags.DEFINE_float("seconds", CLIP_SECONDS, "SECONDS: Length of every clip.", lower_bound=0.1)
flags.DEFINE_string(
    "cache_dir", "data", "FOLDER: Cache for the demo corpus and decoded clips, shared by all runs."
)
