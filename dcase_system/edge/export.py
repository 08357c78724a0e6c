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

import keras
import numpy as np
from absl import app, flags

from dcase_system.audio.store import Waveforms, ingest
from dcase_system.core import cli
from dcase_system.core.errors import InputError, visible
from dcase_system.core.files import replacing, replacing_directory, write_json
from dcase_system.core.folders import refuse_file
from dcase_system.corpora.folders import audio_below
from dcase_system.corpora.table import read_tsv
from dcase_system.edge import variants
from dcase_system.edge.check import check_variants
from dcase_system.edge.tflite import FORMATS
from dcase_system.models.signature import ModelSignature, load_signature
from dcase_system.models.stored import load_network

CALIBRATION, CHECK = "calibration.csv", "check.json"
CALIBRATION_CLIPS = 200
_BATCH = 16


def export_checked(
    network: keras.Model,
    signature: ModelSignature,
    clips: Waveforms,
    filenames: Sequence[str],
    folder: Path,
    formats: Sequence[str] = FORMATS,
    int8_by_qat: bytes | None = None,
    name: str = "student",
) -> None:
    """Writes every variant into a folder, with `calibration.csv` and `check.json`.

    Args:
        network: Network from features to logits.
        signature: Signature of the network.
        clips: Training clips that set the ranges of int8 activations, and on which every variant
            is compared with the network.
        filenames: Names of the clips.
        folder: Output folder.
        formats: Formats of the `.tflite` files.
        int8_by_qat: See `variants.export_all`.
        name: Prefix of the file names.

    Raises:
        InputError: A variant deviates too far from the network.
    """
    calibration = features_of(signature, clips)
    variants.export_all(network, signature, calibration, folder, formats, int8_by_qat, name)
    with replacing(folder / CALIBRATION) as temporary:
        lines = ["filename", *filenames]
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    written = variants.load_variants(network, folder, name)
    logits = variants.logits_of(written, signature, clips)
    probabilities = {variant: signature.probabilities(values) for variant, values in logits.items()}
    write_json(folder / CHECK, check_variants(written, probabilities))


def features_of(signature: ModelSignature, clips: Waveforms) -> np.ndarray:
    """Computes the network's input: (clips * segments, bands, frames, channels)."""
    batches = np.array_split(np.arange(len(clips)), -(-len(clips) // _BATCH))
    return np.concatenate([np.asarray(signature.features(clips.gather(rows))) for rows in batches])


def sample_calibration_rows(clips: int, seed: int) -> np.ndarray:
    """Samples positions of at most 200 clips from a list that may be sorted by class."""
    return np.sort(np.random.default_rng(seed).permutation(clips)[:CALIBRATION_CLIPS])


def calibration_rows(clips: int) -> np.ndarray:
    """Returns positions of at most 200 clips, evenly spaced through a list."""
    return np.linspace(0, clips - 1, min(CALIBRATION_CLIPS, clips)).astype(int)


def calibration_names(clips_dir: Path, listed: Path | None) -> list[str]:
    """Returns the clips of a list, or some of a folder's.

    Raises:
        InputError: The list cannot be read or is empty, or the folder holds no audio.
    """
    if listed is not None:
        return list(read_tsv(listed, ("filename",)).filename)
    refuse_file(clips_dir)
    found = [path.as_posix() for path in audio_below(clips_dir)]
    return [found[row] for row in calibration_rows(len(found))]


def main(argv: Sequence[str]) -> None:
    from dcase_system.reporting.model_card import write_model_card  # imports matplotlib

    options = flags.FLAGS
    if len(argv) != 2:
        raise app.UsageError("expected one folder of a trained network")
    if not options.formats or not set(options.formats) <= set(FORMATS):
        raise app.UsageError(f"--formats takes some of {', '.join(FORMATS)}")
    folder, clips_dir = Path(argv[1]), Path(options.clips_dir)
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
