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

from collections.abc import Sequence

from absl import app, flags

from dcase_system.core import cli
from dcase_system.edge.pcm import PCM_FORMATS


def main(argv: Sequence[str]) -> int:
    options = flags.FLAGS
    if len(argv) < 3:
        raise app.UsageError("expected a model and at least one clip: MODEL CLIP...")
    if options.csv and options.json:
        raise app.UsageError("--csv and --json exclude each other: expected one of them")
    if options.whole and options.smooth > 1:
        raise app.UsageError("--whole and --smooth exclude each other: expected one of them")
    from dcase_system.edge import _classify  # imports NumPy and the runtime

    return _classify.run(argv[1], argv[2:])


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
    flags.DEFINE_integer(
        "smooth",
        1,
        "WINDOWS: Average the probabilities of this many windows: the last ones of the recording, "
        "up to the printed one.",
        lower_bound=1,
    )
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
