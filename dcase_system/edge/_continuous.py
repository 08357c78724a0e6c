"""Implements `edge.continuous`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from absl import flags
from matplotlib.figure import Figure
from tabulate import tabulate

from dcase_system.audio.decode import open_audio
from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing, write_json, write_text
from dcase_system.edge._classify import model_file
from dcase_system.edge.classifier import Classifier
from dcase_system.edge.detections import THRESHOLDS, Score, Windows, score
from dcase_system.edge.events import Event, read_events
from dcase_system.edge.results import results_of, smoothed
from dcase_system.edge.windows import windows_of
from dcase_system.reporting.style import (
    SERIES,
    file_content,
    house_style,
    legend_below,
    new_figure,
    nth_series,
)

ALL = "all classes"
_FILES = _RESULTS, _TABLE, _FIGURE = "continuous.json", "continuous.csv", "continuous.png"
_MOST_LINES = 5  # of single classes in the figure; their colours differ
_SHOWN_RATES = 1, 10, 60  # false alarms an hour
_RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 10,
    "fillstyle": "none",
    "linestyle": "",
    "color": SERIES[1]["color"],
}
Scores = dict[str, list[Score]]


def run(
    model: str, events: Path, recordings: Sequence[str], folder: Path, classes: Sequence[str]
) -> None:
    """Scores recordings, writes the scores and the figure, and prints a table.

    Args:
        model: See `_classify.model_file`.
        events: List of events, see `events.read_events`.
        recordings: Audio files.
        folder: Output folder.
        classes: Classes to score; those that have events if none are named.
    """
    classifier = Classifier(model_file(model), flags.FLAGS.threads)
    labels = classifier.signature.labels
    listed = read_events(events, recordings, labels)
    scored = _classes(classes, labels, [one.label for found in listed.values() for one in found])
    windows = [_windows(name, listed[name], classifier) for name in recordings]
    own = classifier.signature.rejection_threshold
    thresholds = sorted({*THRESHOLDS, *([] if own is None else [own])})
    numbered = [(labels.index(label), label) for label in scored]
    groups = {ALL: numbered, **{label: [(index, label)] for index, label in numbered}}
    scores = {
        name: [score(windows, members, threshold) for threshold in thresholds]
        for name, members in groups.items()
    }
    _write(folder, scores, windows, own)
    print(_table(scores[ALL], own))
    print(f"wrote {', '.join(name for name in _FILES if (folder / name).exists())} to {folder}")


def _classes(named: Sequence[str], labels: Sequence[str], with_events: Sequence[str]) -> list[str]:
    for name in named:
        if name not in labels:
            raise InputError(
                "class that the model does not have",
                where="--classes",
                expected=", ".join(labels),
                received=name,
            )
    chosen = [label for label in labels if label in (named or with_events)]
    if not chosen:
        raise InputError(
            "no class to score: the list has no events",
            where="--classes",
            expected="the classes whose false alarms are counted",
        )
    return chosen


def _windows(name: str, events: Sequence[Event], classifier: Classifier) -> Windows:
    options, signature = flags.FLAGS, classifier.signature
    with open_audio(name) as recording:
        cut = windows_of(recording.blocks(), recording.sample_rate, signature, options.hop_seconds)
        results = list(smoothed(results_of(cut, classifier), options.smooth))
    seconds = results[-1].end_seconds
    for event in events:
        if event.onset_seconds >= seconds:
            raise InputError(
                "event lies behind the last window of its recording",
                where=name,
                expected=f"an onset below {seconds:.2f} s",
                received=f"{event.label} at {event.onset_seconds:.2f} s",
            )
    return Windows(
        seconds,
        np.array([one.start_seconds for one in results]),
        signature.samples / signature.sample_rate,
        np.stack([one.probabilities for one in results]),
        events,
    )


def _write(
    folder: Path, scores: Scores, windows: Sequence[Windows], own_threshold: float | None
) -> None:
    options = flags.FLAGS
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"class": name, **asdict(one)} for name, found in scores.items() for one in found]
    write_text(folder / _TABLE, pd.DataFrame(rows).to_csv(index=False))
    write_json(
        folder / _RESULTS,
        {
            "hours": sum(one.seconds for one in windows) / 3600,
            "windows": sum(len(one.starts) for one in windows),
            "window_seconds": windows[0].length,
            "hop_seconds": options.hop_seconds or windows[0].length,
            "smooth": options.smooth,
            "model_threshold": own_threshold,
            "scores": rows,
        },
    )
    (folder / _FIGURE).unlink(missing_ok=True)  # of an earlier list
    if scores[ALL][0].events:
        with replacing(folder / _FIGURE) as temporary:
            temporary.write_bytes(file_content(_figure(scores, own_threshold), "png"))


@house_style
def _figure(scores: Scores, own_threshold: float | None) -> Figure:
    """Draws the best scores of classes with events, and that of all at the model's threshold."""
    figure, (axes,) = new_figure(3.2)
    alone = [name for name, found in scores.items() if name != ALL and found[0].events]
    for index, name in enumerate([ALL, *alone[:_MOST_LINES]] if len(alone) > 1 else alone):
        look = nth_series(index) | {"linewidth": 2 if name == ALL else 1, "markersize": 3}
        best = _front(scores[name])
        rates, missed = [one.false_alarms_an_hour for one in best], list(map(_percent, best))
        axes.step(rates, missed, where="post", label=name, **look)
    for one in scores[ALL]:
        if one.threshold == own_threshold:
            place = one.false_alarms_an_hour, _percent(one)
            axes.plot(*place, label="model's threshold", **_RING)
    axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="false alarms an hour", ylabel="missed events, %", ylim=(-3, 103))
    axes.set_xlim(left=-0.05)
    legend_below(figure, axes)
    return figure


def _front(scores: Sequence[Score]) -> list[Score]:
    """Returns the scores that no other one beats in both, by false alarms.

    At low thresholds detections run into each other: they are fewer, and find nothing.
    """
    front: list[Score] = []
    for one in sorted(scores, key=lambda one: (one.false_alarms, one.missed)):
        if not front or one.missed < front[-1].missed:
            front.append(one)
    return front


def _percent(one: Score) -> float:
    return 100 * one.missed / one.events


def _table(scores: Sequence[Score], own_threshold: float | None) -> str:
    """Shows the thresholds that miss least within some rates, and the model's own."""
    chosen = {}
    for rate in _SHOWN_RATES:
        within = [one for one in scores if one.false_alarms_an_hour <= rate]
        if within:
            best = min(within, key=lambda one: (one.missed, one.false_alarms))
            chosen[f"at most {rate} false alarms an hour"] = best
    own = [("model's threshold", one) for one in scores if one.threshold == own_threshold]
    rows = [
        (what, one.threshold, f"{one.missed} of {one.events}", one.false_alarms_an_hour)
        for what, one in [*chosen.items(), *own]
    ]
    header = ["", "threshold", "missed events", "false alarms an hour"]
    return tabulate(rows, header, floatfmt=("", ".4f", "", ".1f"))
