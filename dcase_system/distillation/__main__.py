"""Imports CP-JKU's published ensemble logits as teachers of the 100 percent split.

    python -m dcase_system.distillation ensemble_logits.pt \\
        --data_dir=TAU --output_dir=TEACHERS/split_100

The argument is the file that CP-JKU published: logits for the whole training list.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli

_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "FOLDER: TAU 2022 Mobile, development set.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "FOLDER: New folder for the teachers.", required=True
)


def main(argv: Sequence[str]) -> None:
    if len(argv) != 2:
        raise app.UsageError("expected one file of logits")
    # These import pandas and scikit-learn.
    from dcase_system.corpora.corpus import read_corpus
    from dcase_system.distillation.import_logits import import_logits

    rows = import_logits(Path(argv[1]), read_corpus(_DATA_DIR.value), Path(_OUTPUT_DIR.value))
    print(f"train macro accuracy {rows['ensemble']['accuracy']:.1f} %; wrote {_OUTPUT_DIR.value}")


if __name__ == "__main__":
    cli.run(main, takes_arguments=True)
