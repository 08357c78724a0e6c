import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dcase_system.edge.classifier import Classifier
from dcase_system.edge.detections import THRESHOLDS
from tests.audio.audio_files import wav_bytes
from tests.commands import run

CONTINUOUS = "dcase_system.edge.continuous"


@pytest.fixture(scope="module")
def recording(waveforms, tmp_path_factory):
    """Twenty clips of a second, one after another."""
    path = tmp_path_factory.mktemp("continuous") / "long.wav"
    samples = np.asarray(waveforms.samples[:20]).reshape(-1, 1) / 2**15
    path.write_bytes(wav_bytes(samples, 8_000, 16))
    return path


def test_scores_of_a_recording_are_written_and_shown(
    exported, waveforms, signature, recording, tmp_path
):
    model = exported / "student_int8.tflite"
    probabilities = Classifier(model).probabilities(waveforms.gather(np.arange(20)))
    best = probabilities[7].argmax()
    (tmp_path / "events.csv").write_text(
        f"onset,offset,event_label\n7.2,7.9,{signature.labels[best]}\n"
    )
    done = run(CONTINUOUS, model, tmp_path / "events.csv", recording, f"--output_dir={tmp_path}")
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((tmp_path / "continuous.json").read_text())
    assert (results["windows"], results["hours"]) == (20, 20 / 3600)
    rows = pd.read_csv(tmp_path / "continuous.csv", float_precision="round_trip")
    assert rows.to_dict("records") == results["scores"]
    assert len(rows) == 2 * len(THRESHOLDS) and set(rows.events) == {1}
    alone = rows[rows["class"] == signature.labels[best]]
    # The event's own window is enough while its detection is not far longer than the event.
    sure = alone[alone.threshold > np.delete(probabilities[:, best], 7).max()]
    for row in sure.itertuples():
        assert row.missed == (probabilities[7, best] < row.threshold) and row.false_alarms == 0
    assert list(alone.missed) == list(rows[rows["class"] == "all classes"].missed)
    assert "at most 60 false alarms an hour" in done.stdout
    with Image.open(tmp_path / "continuous.png") as figure:
        assert len(set(figure.convert("L").getdata())) > 2


def test_without_events_the_false_alarms_of_named_classes_are_counted(
    exported, signature, recording, tmp_path
):
    (tmp_path / "events.csv").write_text("onset,offset,event_label\n")
    model, name = exported / "student_int8.tflite", signature.labels[0]
    flags = f"--classes={name}", f"--output_dir={tmp_path}"
    done = run(CONTINUOUS, model, tmp_path / "events.csv", recording, *flags)
    assert (done.returncode, done.stderr) == (0, "")
    rows = pd.read_csv(tmp_path / "continuous.csv")
    assert set(rows["class"]) == {"all classes", name} and set(rows.events) == {0}
    assert rows.false_alarms.max() > 0 == rows.missed.max()
    assert not (tmp_path / "continuous.png").exists() and ".png" not in done.stdout


@pytest.mark.parametrize(
    ("rows", "flags", "message"),
    [
        ("", [], "--classes: no class to score: the list has no events"),
        ("", ["--classes=none"], "class that the model does not have"),
        ("30,31,{}\n", [], "event lies behind the last window of its recording"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(
    exported, signature, recording, tmp_path, rows, flags, message
):
    events = tmp_path / "events.csv"
    events.write_text("onset,offset,event_label\n" + rows.format(signature.labels[0]))
    model = exported / "student_float16.tflite"
    done = run(CONTINUOUS, model, events, recording, f"--output_dir={tmp_path / 'out'}", *flags)
    assert done.returncode == 1
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
