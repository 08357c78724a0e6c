"""BioDCASE-Tiny 2026, Task 3: a network for bird sounds on an ESP32-S3, packed for the contest.

    python -m recipes.biodcase_tiny                     # demo recordings
    python -m recipes.biodcase_tiny --data_dir=DATASET --author_card=CARD.yaml
    python -m dcase_system.submission.validate --task=biodcase PACKAGE.zip

DATASET is the contest's folder with Train/CLASS/*.wav and Validation/CLASS/*.wav, or any folder
that `recipes.sounds` takes. Clips are cut into windows of 3 s at 24 kHz, and the contest's integer
front end is computed once. A network is trained on Train and scored on Validation at its last
epoch, as the `.keras` and the int8 `.tflite` file of the submission. The terms of the contest's
rank are printed: time and RAM in them are modelled, not measured on a board. The package is
RUN/submission/biodcase.zip; --technical_report puts the technical report into it.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, output, set_defaults, training

DEMO = {"architecture": "separable_16", "epochs": 15}

flags.DEFINE_string(
    "data_dir",
    None,
    "FOLDER: Clips in Train/CLASS and Validation/CLASS, or recordings in a folder for each class. "
    "[recordings made of the demo corpus]",
)
flags.DEFINE_enum(
    "architecture",
    "separable_32",
    ["separable_16", "separable_24", "separable_32", "biodcase_baseline"],
    "Network to train.",
)
flags.DEFINE_integer("epochs", 100, "EPOCHS: Passes over the training clips.", 1)
flags.DEFINE_bool("mixup", True, "Mix clips and labels in pairs.")
flags.DEFINE_bool("masks", True, "Mask mel bands and frames.")
flags.DEFINE_bool("balanced", False, "Draw all classes equally often in training.")
flags.DEFINE_bool("package", True, "Make a package, which needs the author card.")
flags.DEFINE_string(
    "author_card", "submissions/author_card.yaml", "FILE: Authors of the submission; YAML."
)
flags.DEFINE_string("technical_report", None, "FILE: Technical report, a PDF. [none: a warning]")
flags.DEFINE_enum(
    "coding_agents_used", None, ["yes", "no"], "The authors' answer for the meta file. [null]"
)
flags.DEFINE_string("cache_dir", "data", "FOLDER: Cache for the demo corpus, shared by all runs.")
for group in (training, output):
    flags.adopt_module_key_flags(group)
set_defaults({"batch_size": 32, "learning_rate": 0.003})


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _biodcase_tiny

    _biodcase_tiny.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
