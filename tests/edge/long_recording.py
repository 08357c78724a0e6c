"""Joins dev-test clips to a long recording with its list of events, for `edge.continuous`.

    python -m tests.edge.long_recording DATA OUTPUT_FOLDER [SEED]

The clips of one recording location follow each other, and are an event of their class; the order of
locations is random. Clips are mono and of one rate.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile


def write(data: Path, folder: Path, seed: int = 0) -> None:
    """Writes `long.flac` and `events.tsv`."""
    clips = pd.read_csv(data / "split_setup" / "test.csv", sep="\t").merge(
        pd.read_csv(data / "meta.csv", sep="\t"), on=["filename", "scene_label"]
    )
    locations = [rows for _, rows in clips.groupby(["scene_label", "identifier"])]
    events, samples, start = [], [], 0.0
    for at in np.random.default_rng(seed).permutation(len(locations)):
        read = [soundfile.read(data / name) for name in locations[at].filename]
        (rate,) = {rate for _, rate in read}
        samples += [clip for clip, _ in read]
        end = start + sum(len(clip) for clip, _ in read) / rate
        events.append((start, end, locations[at].scene_label.iloc[0]))
        start = end
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "long.flac", np.concatenate(samples), rate, "PCM_16")
    columns = ["onset", "offset", "event_label"]
    pd.DataFrame(events, columns=columns).to_csv(folder / "events.tsv", sep="\t", index=False)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
