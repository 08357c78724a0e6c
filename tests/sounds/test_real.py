"""Real clips as plain class folders: 44.1 kHz, stereo, of different lengths."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.lists import read_split
from tests.commands import run

RATE = 44_100


def write_as_folders(corpus, folder):
    """The clips of each recording and device, one after another, as `<class>/<recording>.wav`."""
    meta = corpus.meta
    for (label, site, device), rows in meta.groupby(["scene_label", "identifier", "source_label"]):
        clips = [soundfile.read(corpus.root / name)[0] for name in rows.filename]
        resampled = soxr.resample(np.concatenate(clips), 32_000, RATE)
        path = folder / label / f"{site}-{device}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.stack([resampled] * 2, axis=1), RATE, subtype="PCM_16")


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(3_600)
def test_real_clips_in_folders_score_as_by_their_lists(shared, tmp_path):
    corpus = read_corpus(shared / "scenes10")
    write_as_folders(corpus, tmp_path / "recordings")
    given = [f"--cache_dir={tmp_path / 'cache'}", "--epochs=12", "--batch_size=64"]
    given.append("--tflite_formats=int8")
    done = run(
        "recipes.sounds",
        f"--data_dir={tmp_path / 'recordings'}",
        r"--group_pattern=/(u\d+)-",  # who has uploaded it
        *("--fast", f"--output_dir={tmp_path / 'sounds'}", *given),
        published=True,
    )
    assert done.returncode == 0, done.stderr
    listed = run(
        "recipes.split100",
        f"--data_dir={shared / 'scenes10'}",
        *("--system=dense", "--nodistill", f"--output_dir={tmp_path / 'listed'}", *given),
        published=True,
    )
    assert listed.returncode == 0, listed.stderr
    lists = read_split(read_corpus(tmp_path / "sounds-corpus"), 100)
    assert lists.corpus.scenes == corpus.scenes
    assert not set(lists.train.locations) & set(lists.test.locations)
    windows = pd.read_csv(tmp_path / "sounds-corpus" / "windows.csv")
    assert len(windows) == len(corpus.meta)
    scores = [
        json.loads((tmp_path / name / "dev_test" / "scores.json").read_text())
        for name in ("sounds", "listed")
    ]
    accuracy = scores[0]["forms"]["keras_float16"]["overall"]["accuracy"]
    low, high = scores[1]["intervals_95"]["overall"]
    print(f"{accuracy:.1f} in folders; {low:.1f} to {high:.1f} by their lists")
    assert low <= accuracy <= high
