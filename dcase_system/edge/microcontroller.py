"""Prepares an exported file for microcontrollers: a C header, and the devices it fits.

    python -m dcase_system.edge.microcontroller MODEL.tflite --output_dir=DIR \\
        --accelerator=ethos-u55-128

MODEL is an int8 file that takes features. DIR receives its header, `microcontroller.json`, and for
each accelerator the compiled file with its own header (needs ethos-u-vela).
"""

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli
from dcase_system.edge.ethos_u import ACCELERATORS


def main(argv: Sequence[str]) -> None:
    options = flags.FLAGS
    if len(argv) != 2:
        raise app.UsageError("expected one .tflite file")
    from dcase_system.edge.microcontroller_report import as_text, report  # imports TensorFlow

    print(as_text(report(Path(argv[1]), Path(options.output_dir), options.accelerator)))


def _define_flags() -> None:
    flags.DEFINE_string(
        "output_dir", None, "FOLDER: Output folder for headers and report.", required=True
    )
    flags.DEFINE_multi_enum(
        "accelerator",
        [],
        list(ACCELERATORS),
        "NAME: Accelerator to compile for.",
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
