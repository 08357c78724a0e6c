"""Package."""

from absl import flags

from recipes._flags import clips  # noqa: F401 (defines --data_dir)

flags.DEFINE_string(
    "evaluation_dir",
    None,
    "FOLDER: Unlabelled evaluation clips; without them there is no package. "
    "[none; with the demo corpus its own]",
)
flags.DEFINE_string(
    "author_card", "submissions/author_card.yaml", "FILE: Authors of the submission; YAML."
)
flags.register_multi_flags_validator(
    ["data_dir", "evaluation_dir"],
    lambda given: given["data_dir"] or not given["evaluation_dir"],
    message="evaluation clips without development clips: expected --data_dir too",
)
