"""Class folders of recordings, made of the demo corpus."""

from pathlib import Path

import numpy as np
import soundfile

from dcase_system.audio.decode import read_audio
from dcase_system.core.files import replacing_directory
from dcase_system.core.locations import Location
from dcase_system.corpora.corpus import read_corpus

GROUPS = r"([^/]*)-[^-]*$"
"""Groups of these recordings: devices record one location at the same time."""


def write_demo_folders(development: Location, folder: Path) -> None:
    """Joins the demo corpus's clips of each location and device to a recording, by class.

    Args:
        development: Demo corpus in TAU's layout.
        folder: Folder to write, unless it is there: `<class>/<location>-<device>.wav`.
    """
    if folder.is_dir():
        return
    meta = read_corpus(development).meta
    with replacing_directory(folder) as target:
        for (label, site, device), rows in meta.groupby(
            ["scene_label", "identifier", "source_label"], sort=True
        ):
            clips = [read_audio(development / name) for name in rows.filename]
            path = target / label / f"{site}-{device}.wav"
            path.parent.mkdir(exist_ok=True)
            samples = np.concatenate([samples for samples, _ in clips])
            soundfile.write(path, samples, clips[0][1], subtype="PCM_16")
