"""Classifies recordings or a stream of samples with one `.tflite` file.

    python -m dcase_system.edge.classify MODEL.tflite CLIP...
    arecord -q -t raw -f S16_LE -r 32000 -c 1 \\
        | python -m dcase_system.edge.classify MODEL.tflite -

Clips may have any length, sample rate and number of channels: WAV, FLAC, Ogg, MP3 and other formats
that libsndfile reads. Prints one line per window as soon as it is read: position, most probable
classes, and reasons for doubt (silence, clipping). `-` reads raw samples from standard input, by
default 16-bit mono at the model's sample rate. Exits with 1 if a clip could not be read to its end;
the others are still classified.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from absl import app, flags

from dcase_system.audio.decode import open_audio
from dcase_system.core import cli
from dcase_system.core.errors import InputError
from dcase_system.edge.classifier import Classifier
from dcase_system.edge.pcm import PCM_FORMATS, PCMFormat, pcm_blocks
from dcase_system.edge.windows import Window, band_note, windows_of
from dcase_system.models.signature import ModelSignature

_STREAM = "-"


def main(argv: Sequence[str]) -> int:
    options = flags.FLAGS
    if len(argv) < 3:
        raise app.UsageError("expected a model and at least one clip: MODEL.tflite CLIP...")
    classifier = Classifier(argv[1], options.threads)
    failed = False
    for name in argv[2:]:
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


@dataclass(frozen=True, eq=False)
class _Heard:
    """A segment of audio and its probabilities, (classes,)."""

    start_seconds: float
    end_seconds: float
    probabilities: np.ndarray
    notes: tuple[str, ...]


def _classify(name: str, classifier: Classifier) -> None:
    options, signature = flags.FLAGS, classifier.signature
    with _opened(name, signature) as (blocks, sample_rate):
        note = band_note(sample_rate, signature)
        if note:
            print(f"note: {name}: {note}", file=sys.stderr)
        windows = windows_of(blocks, sample_rate, signature, options.hop_seconds)
        heard = _heard(windows, classifier)
        if options.whole:
            heard = iter([_mean(list(heard))])
        for one in heard:
            show = _json if options.json else _text
            print(show(name, one, signature.labels), flush=True)


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


def _heard(windows: Iterable[Window], classifier: Classifier) -> Iterator[_Heard]:
    seconds = classifier.signature.samples / classifier.signature.sample_rate
    for window in windows:
        probabilities = classifier.probabilities(window.waveform[None])[0]
        end = window.start_seconds + seconds
        yield _Heard(window.start_seconds, end, probabilities, window.notes)


def _mean(heard: Sequence[_Heard]) -> _Heard:
    """Averages all windows of a clip."""
    notes = dict.fromkeys(note for one in heard for note in one.notes)
    mean = np.mean([one.probabilities for one in heard], axis=0)
    return _Heard(heard[0].start_seconds, heard[-1].end_seconds, mean, tuple(notes))


def _text(name: str, heard: _Heard, labels: Sequence[str]) -> str:
    best = np.argsort(-heard.probabilities, kind="stable")[: flags.FLAGS.top]
    classes = "  ".join(f"{labels[index]} {heard.probabilities[index]:.2f}" for index in best)
    notes = f"  ({'; '.join(heard.notes)})" if heard.notes else ""
    return f"{name}  {heard.start_seconds:.2f}-{heard.end_seconds:.2f} s  {classes}{notes}"


def _json(name: str, heard: _Heard, labels: Sequence[str]) -> str:
    return json.dumps(
        {
            "file": name,
            "start_seconds": heard.start_seconds,
            "end_seconds": heard.end_seconds,
            "scene": labels[int(heard.probabilities.argmax())],
            "probabilities": dict(zip(labels, heard.probabilities.tolist(), strict=True)),
            "notes": list(heard.notes),
        }
    )


# Flags are global to a process: defined on import, they would collide with those of a recipe.
def _define_flags() -> None:
    flags.DEFINE_bool(
        "json", False, "Print one JSON object per line, with the probability of every class."
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
