"""Exports a network to every `.tflite` format, each checked against the network."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from dcase_system.audio.store import Waveforms
from dcase_system.core.files import replacing, write_json
from dcase_system.core.folders import refuse_file
from dcase_system.corpora.folders import audio_below
from dcase_system.corpora.table import read_tsv
from dcase_system.edge import variants
from dcase_system.edge.check import check_variants
from dcase_system.edge.tflite import FORMATS
from dcase_system.models.signature import ModelSignature

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
