"""Classifies recordings or a stream of samples with one `.tflite` file.

    python -m dcase_system.edge.classify MODEL CLIP...
    arecord -q -t raw -f S16_LE -r 32000 -c 1 \\
        | python -m dcase_system.edge.classify MODEL -

MODEL is a `.tflite` file, or the directory of a run: then its most exact file that takes a waveform
(float32, float16, dynamic, int8). CLIP is an audio file, or a folder: then all audio files below
it. Clips may have any length, sample rate and number of channels: WAV, FLAC, Ogg, MP3 and other
formats that libsndfile reads. Prints one line per window as soon as it is read: position, most
probable classes, and notes (silence, clipping, a rest at the end that is shorter than a window and
so not classified). `-` reads raw samples from standard input, by default 16-bit mono at the model's
sample rate. Exits with 1 if a clip could not be read to its end; the others are still classified.
"""

import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from absl import app, flags

from dcase_system.audio.decode import open_audio
from dcase_system.core import cli
from dcase_system.core.errors import InputError
from dcase_system.core.locations import files_below
from dcase_system.corpora.folders import audio_below
from dcase_system.edge.classifier import Classifier
from dcase_system.edge.names import FORMATS
from dcase_system.edge.pcm import PCM_FORMATS, PCMFormat, pcm_blocks
from dcase_system.edge.printed import Result, csv_header, csv_line, json_line, mean, text_line
from dcase_system.edge.windows import (
    Window,
    band_note,
    rest_note,
    windows_of,
    with_rest_noted,
)
from dcase_system.models.signature import ModelSignature

_STREAM = "-"


def main(argv: Sequence[str]) -> int:
    options = flags.FLAGS
    if len(argv) < 3:
        raise app.UsageError("expected a model and at least one clip: MODEL CLIP...")
    if options.csv and options.json:
        raise app.UsageError("--csv and --json exclude each other: expected one of them")
    names = [clip for given in argv[2:] for clip in clips(given)]
    classifier = Classifier(model_file(argv[1]), options.threads)
    if options.reject and classifier.signature.rejection_threshold is None:
        raise InputError(
            "model has no threshold for unknown sounds",
            where=argv[1],
            expected="no --reject, or a model that `recipes.sounds --false_rejections` has trained",
        )
    # Names of files may hold bytes that are no text; they are printed unchanged.
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    if options.csv:
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
        results = _results(noted, classifier, threshold)
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


def _results(
    windows: Iterable[Window], classifier: Classifier, threshold: float
) -> Iterator[Result]:
    seconds = classifier.signature.samples / classifier.signature.sample_rate
    for window in windows:
        probabilities = classifier.probabilities(window.waveform[None])[0]
        end = window.start_seconds + seconds
        yield Result(window.start_seconds, end, probabilities, window.notes, threshold)


# Flags are global to a process: defined on import, they would collide with those of a recipe.
def _define_flags() -> None:
    flags.DEFINE_bool(
        "json", False, "Print one JSON object per line, with the probability of every class."
    )
    flags.DEFINE_bool(
        "csv",
        False,
        "Print one CSV table of all clips: file, start, end, class, and a column with the "
        "probability of every class; notes go to standard error.",
    )
    flags.DEFINE_bool(
        "reject",
        False,
        "Answer `unknown` where the most probable class is below the model's threshold.",
    )
    flags.DEFINE_bool("whole", False, "Print one line per clip: the mean over its windows.")
    flags.DEFINE_float(
        "hop_seconds",
        None,
        "SECONDS: Time from the start of one window to the next. [the length of a window]",
        0.001,
    )
    flags.DEFINE_integer(
        "top", 3, "CLASSES: Number of most probable classes to print.", lower_bound=1
    )
    flags.DEFINE_integer("threads", 1, "THREADS: Threads that the network runs on.", lower_bound=1)
    flags.DEFINE_enum(
        "pcm_format", "S16_LE", list(PCM_FORMATS), "Format of the samples on standard input."
    )
    flags.DEFINE_integer(
        "pcm_rate", None, "HERTZ: Rate of the samples on standard input. [the model's]", 1_000
    )
    flags.DEFINE_integer(
        "pcm_channels", 1, "CHANNELS: Channels on standard input, interleaved.", lower_bound=1
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
