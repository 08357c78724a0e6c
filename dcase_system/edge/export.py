"""Exports a trained network to every `.tflite` format, each checked against the network.

    python -m dcase_system.edge.export RUN/student --output_dir=DIR \\
        --clips_dir=DEVELOPMENT/audio [--calibration_list=LIST]

The argument is a folder with `spec.json`, `network.keras` and `contract.json`, as every training
writes them (`student/` of a challenge run, `network/` of a scene search, `tuned_.../` of a
supernet). The clips set the ranges of int8 activations, and the variants are compared on them.
LIST names the clips, one per line below `filename`; every export writes one (`calibration.csv`).
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli
from dcase_system.core.errors import InputError, visible
from dcase_system.core.files import replacing_directory
from dcase_system.core.folders import refuse_file
from dcase_system.edge.names import FORMATS


def main(argv: Sequence[str]) -> None:
    options = flags.FLAGS
    if len(argv) != 2:
        raise app.UsageError("expected one folder of a trained network")
    if not options.formats or not set(options.formats) <= set(FORMATS):
        raise app.UsageError(f"--formats takes some of {', '.join(FORMATS)}")
    folder, clips_dir = Path(argv[1]), Path(options.clips_dir)
    # These import TensorFlow and matplotlib.
    from dcase_system.audio.store import ingest
    from dcase_system.edge.checked_export import calibration_names, export_checked
    from dcase_system.models.signature import load_signature
    from dcase_system.models.stored import load_network
    from dcase_system.reporting.model_card import write_model_card

    _check_replaceable(Path(options.output_dir))
    network, signature = load_network(folder), load_signature(folder)
    listed = Path(options.calibration_list) if options.calibration_list else None
    names = calibration_names(clips_dir, listed)
    with tempfile.TemporaryDirectory() as store:
        clips = ingest(
            store,
            clips_dir,
            names,
            sample_rate=signature.sample_rate,
            clip_seconds=signature.samples / signature.sample_rate,
            channels=signature.channels,
            exact=signature.channels > 1,
        )
        with replacing_directory(options.output_dir) as temporary:
            export_checked(network, signature, clips, names, temporary, options.formats)
            write_model_card(temporary, edge="")
    for path in sorted(Path(options.output_dir).glob("*.tflite")):
        print(f"{path.stat().st_size:>9,} bytes  {path}")


def _check_replaceable(folder: Path) -> None:
    """Refuses to replace a folder that is not an export.

    Raises:
        InputError: The folder holds something else.
    """
    from dcase_system.edge.checked_export import CALIBRATION, CHECK

    refuse_file(folder)
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if found and not {CALIBRATION, CHECK} <= found:
        raise InputError(
            "folder is not empty and holds no export",
            where=folder,
            expected="a new or empty folder, or that of an earlier export, which is replaced",
            received=", ".join(map(visible, sorted(found)[:5])),
        )


# Flags are global to a process: defined on import, they would collide with those of a recipe.
def _define_flags() -> None:
    flags.DEFINE_string(
        "output_dir",
        None,
        "FOLDER: Output folder; files of an earlier export are replaced.",
        required=True,
    )
    flags.DEFINE_string("clips_dir", None, "FOLDER: Training clips.", required=True)
    flags.DEFINE_string(
        "calibration_list",
        None,
        "FILE: List of calibration clips. [up to 200, evenly from the folder]",
    )
    flags.DEFINE_list("formats", list(FORMATS), "FORMAT: Formats to export, some of these.")


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
