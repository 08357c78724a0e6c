"""Scores a `.tflite` file on long recordings: missed events against false alarms an hour.

    python -m dcase_system.edge.continuous MODEL EVENTS RECORDING... \\
        --output_dir=DIR

MODEL is what `classify` takes. EVENTS lists the events of the recordings in the format of DCASE:
columns onset and offset (in seconds) and event_label, separated by tabs or commas; with several
recordings also filename. A row with nothing but a filename is a recording without events. Scores
61 thresholds, each class alone and all together, and writes `continuous.json`, `continuous.csv` and
(if there are events) `continuous.png`; prints the scores at a few thresholds. What counts as missed
and as a false alarm is described in `edge/detections.py`.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import app, flags

from dcase_system.core import cli


def main(argv: Sequence[str]) -> None:
    options = flags.FLAGS
    if len(argv) < 4:
        raise app.UsageError("expected a model, a list of events and recordings")
    from dcase_system.edge import _continuous  # imports NumPy, matplotlib and the runtime

    _continuous.run(
        argv[1], Path(argv[2]), argv[3:], Path(options.output_dir), options.classes or ()
    )


def _define_flags() -> None:
    flags.DEFINE_string("output_dir", None, "FOLDER: Output folder for scores and figure.")
    flags.mark_flag_as_required("output_dir")
    flags.DEFINE_list(
        "classes", None, "CLASS,...: Classes to score. [those with events in the list]"
    )
    flags.DEFINE_integer(
        "smooth", 1, "WINDOWS: As in `classify`: average the last windows.", lower_bound=1
    )
    flags.DEFINE_float(
        "hop_seconds",
        None,
        "SECONDS: Time from the start of one window to the next. [the length of a window]",
        0.001,
    )
    flags.DEFINE_integer("threads", 1, "THREADS: Threads that the network runs on.", lower_bound=1)


if __name__ == "__main__":
    _define_flags()
    cli.run(main, takes_arguments=True)
