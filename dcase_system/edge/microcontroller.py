"""Prepares an exported file for microcontrollers: a project in C, and the devices it fits.

    python -m dcase_system.edge.microcontroller MODEL.tflite --project=DIR
    python -m dcase_system.edge.microcontroller MODEL.tflite --output_dir=DIR \\
        --accelerator=ethos-u55-128

MODEL is an int8 file that takes features. A project holds the front end in C, the model, a program,
its Makefile and a README. An output folder receives the model's header, `microcontroller.json`, and
for each accelerator the compiled file with its own header (needs ethos-u-vela).
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
    if options.project is None and options.output_dir is None:
        raise app.UsageError("expected --project, --output_dir or both")
    if options.accelerator and options.output_dir is None:
        raise app.UsageError("--accelerator needs --output_dir for the compiled files")
    # Imports TensorFlow.
    from dcase_system.edge.device.project import write_project
    from dcase_system.edge.microcontroller_report import as_text, checked_card, report

    path, folder = Path(argv[1]), options.output_dir
    if options.project is not None:
        write_project(path, checked_card(path).signature, Path(options.project))
    print(as_text(report(path, None if folder is None else Path(folder), options.accelerator)))


def _define_flags() -> None:
    flags.DEFINE_string("project", None, "FOLDER: Output folder for a project in C that builds.")
    flags.DEFINE_string("output_dir", None, "FOLDER: Output folder for headers and report.")
    flags.DEFINE_multi_enum(
        "accelerator",
        [],
        list(ACCELERATORS),
        "NAME: Accelerator to compile for.",
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
