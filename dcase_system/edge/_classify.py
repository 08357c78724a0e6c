"""Implements `edge.classify`."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from absl import flags

from dcase_system.audio.decode import open_audio
from dcase_system.core.errors import InputError
from dcase_system.core.locations import files_below
from dcase_system.corpora.folders import audio_below
from dcase_system.edge.classifier import Classifier
from dcase_system.edge.names import FORMATS
from dcase_system.edge.pcm import PCMFormat, pcm_blocks
from dcase_system.edge.printed import csv_header, csv_line, json_line, text_line
from dcase_system.edge.results import Result, mean, results_of, smoothed
from dcase_system.edge.windows import (
    Window,
    band_note,
    rest_note,
    windows_of,
    with_rest_noted,
)
from dcase_system.models.signature import ModelSignature

_STREAM = "-"


def run(model: str, given: Sequence[str]) -> int:
    """Classifies the clips that a command was given; returns its exit status.

    Args:
        model: A `.tflite` file, or a folder, see `model_file`.
        given: Audio files, folders of them, or `-` for standard input.
    """
    names = [clip for one in given for clip in clips(one)]
    classifier = Classifier(model_file(model), flags.FLAGS.threads)
    if flags.FLAGS.reject and classifier.signature.rejection_threshold is None:
        raise InputError(
            "model has no threshold for unknown sounds",
            where=model,
            expected="no --reject, or a model that `recipes.sounds --false_rejections` has trained",
        )
    # Names of files may hold bytes that are no text; they are printed unchanged.
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    if flags.FLAGS.csv:
        print(csv_header(classifier.signature.labels), flush=True)
    failed = False
    for name in names:
        try:
            _classify(name, classifier)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            failed = True
        except KeyboardInterrupt:
            if name != _STREAM:
                raise
            break  # Ctrl-C ends the stream
    return int(failed)


def model_file(given: str) -> Path:
    """Finds the model that a command was given: a file, or one in the directory of a run.

    Args:
        given: A `.tflite` file; or a folder of exported files, or one with such a folder `edge/`.

    Raises:
        InputError: The folder has no file that takes a waveform.
    """
    path = Path(given)
    if not path.is_dir():
        return path
    for folder in (path / "edge", path):
        models = [folder / name for name in files_below(folder, {".tflite"}, deep=False)]
        for name in FORMATS:  # the most exact first
            for model in models:
                if model.name.endswith(f"_{name}_waveform.tflite"):
                    print(f"model: {model}", file=sys.stderr)
                    return model
    raise InputError(
        "no model in this folder",
        where=path,
        expected="the directory of a finished run with edge/student_float32_waveform.tflite or "
        "another *_waveform.tflite, or the name of a .tflite file",
    )


def clips(given: str) -> list[str]:
    """Lists the clips that an argument names: a folder's audio files, sorted, or the argument.

    Raises:
        InputError: The folder has no audio files.
    """
    folder = Path(given)
    return [str(folder / path) for path in audio_below(folder)] if folder.is_dir() else [given]


def _classify(name: str, classifier: Classifier) -> None:
    options, signature = flags.FLAGS, classifier.signature
    with _opened(name, signature) as (blocks, sample_rate):
        _note(name, band_note(sample_rate, signature))
        windows = windows_of(blocks, sample_rate, signature, options.hop_seconds)
        noted = _live(windows) if name == _STREAM else with_rest_noted(windows)
        threshold = signature.rejection_threshold or 0.0 if options.reject else 0.0
        results = smoothed(results_of(noted, classifier, threshold), options.smooth)
        if options.whole:
            results = iter([mean(list(results))])
        for result in results:
            _print(name, result, signature.labels)


def _live(windows: Generator[Window, None, float]) -> Iterator[Window]:
    """Yields the windows of a stream; its last one is long printed when the stream ends."""
    rest = yield from windows
    _note(_STREAM, rest_note(rest))


def _note(name: str, note: str | None) -> None:
    if note:
        print(f"note: {name}: {note}", file=sys.stderr)


def _print(name: str, result: Result, labels: Sequence[str]) -> None:
    options = flags.FLAGS
    if options.json:
        line = json_line(name, result, labels)
    elif options.csv:
        line = csv_line(name, result, labels)
        for note in result.notes:  # the table has numbers only
            _note(f"{name} {result.position}", note)
    else:
        line = text_line(name, result, labels, options.top)
    print(line, flush=True)


@contextmanager
def _opened(name: str, signature: ModelSignature) -> Iterator[tuple[Iterator[np.ndarray], int]]:
    """Yields the blocks of samples and their rate."""
    options = flags.FLAGS
    if name == _STREAM:
        rate = options.pcm_rate or signature.sample_rate
        pcm_format = PCMFormat(options.pcm_format, rate, options.pcm_channels)
        with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as stream:
            yield pcm_blocks(stream, pcm_format), rate
    else:
        with open_audio(name) as recording:
            yield recording.blocks(), recording.sample_rate
