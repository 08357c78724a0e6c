"""Converts a published checkpoint: PyTorch's, or YAMNet's `yamnet.h5` or `yamnet.tflite`.

    python -m dcase_system.models.checkpoints CHECKPOINT.pt \\
        --architecture=passt_s --output_dir=DIR [--new_head --classes=10]

Prints where each tensor went. Pass the new folder to the teachers: `--initial_weights=DIR`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import app, flags

from dcase_system.core import cli

if TYPE_CHECKING:
    from dcase_system.models.checkpoints.convert import Conversion

_ARCHITECTURE = flags.DEFINE_string(
    "architecture",
    None,
    "NAME: Architecture of the checkpoint, such as passt_s; an unknown name lists all.",
    required=True,
)
_OUTPUT = flags.DEFINE_string(
    "output_dir", None, "FOLDER: New folder for the network.", required=True
)
_CLASSES = flags.DEFINE_integer(
    "classes", None, "CLASSES: Number of classes of the network. [that of the checkpoint]", 1
)
_NEW_HEAD = flags.DEFINE_bool("new_head", False, "Start a new classifier with random weights.")
_PREFIX = flags.DEFINE_string(
    "prefix", None, "Prefix of the network's tensor names, if a checkpoint holds several networks."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed for the weights of a new classifier.")


def main(argv: Sequence[str]) -> None:
    if len(argv) != 2:
        raise app.UsageError("expected one checkpoint")
    import keras

    from dcase_system.models.checkpoints.convert import import_checkpoint

    keras.utils.set_random_seed(_SEED.value)
    converted = import_checkpoint(
        Path(argv[1]),
        _ARCHITECTURE.value,
        Path(_OUTPUT.value),
        classes=_CLASSES.value,
        new_head=_NEW_HEAD.value,
        prefix=_PREFIX.value,
    )
    _print(converted)


def _print(converted: Conversion) -> None:
    from dcase_system.models.checkpoints.convert import FILES

    for pair in converted.mapped:
        variable = pair.variable
        print(f"{pair.name} {pair.tensor_shape} -> {variable.path} {tuple(variable.shape)}")
    for left in converted.left_out:
        print(f"{left.name}{f' {left.shape}' if left.shape else ''} left out: {left.reason}")
    print(
        f"{len(converted.mapped)} tensors taken, {len(converted.left_out)} left out; "
        f"wrote {', '.join(FILES)} to {_OUTPUT.value}"
    )


if __name__ == "__main__":
    cli.run(main, takes_arguments=True)
