"""TAU Urban Acoustic Scenes 2020 3Class, the corpus of DCASE 2020 Task 1B.

Ten-second binaural clips (48 kHz, 24 bit) from one device in ten scenes, labelled with three
classes: `meta.csv`, `evaluation_setup/fold1_train.csv` and `fold1_evaluate.csv` hold the class, the
file name holds the scene.
"""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dcase_system.core.errors import InputError
from dcase_system.core.locations import Location

if TYPE_CHECKING:
    from dcase_system.corpora.corpus import Corpus

CLASSES = ("indoor", "outdoor", "transportation")
"""The three classes in label order, as in the official output file."""

CLASS_OF = {
    **dict.fromkeys(("airport", "shopping_mall", "metro_station"), "indoor"),
    **dict.fromkeys(("street_pedestrian", "public_square", "street_traffic", "park"), "outdoor"),
    **dict.fromkeys(("tram", "bus", "metro"), "transportation"),
}
"""The class of each scene."""

TRAIN_LIST, TEST_LIST = "fold1_train.csv", "fold1_evaluate.csv"
SAMPLE_RATE = 48_000
CLIP_SECONDS = 10.0
TRAIN_CLIPS, TEST_CLIPS = 9_185, 4_185
EVALUATION_CLIPS = 8_640
"""Clips of the evaluation set, `audio/0.wav` ... `audio/8639.wav`."""


def read_task1b(root: str | Location) -> "Corpus":
    """Reads a folder in the layout of the 2020 3Class development set.

    Raises:
        InputError: See `read_corpus`; or the class of a clip differs from the class of the scene in
            its name.
    """
    # Imported here because it loads pandas, which users of the constants do not need.
    from dcase_system.corpora.corpus import read_corpus
    from dcase_system.corpora.table import at_line

    corpus = read_corpus(root, CLASSES)
    rows = zip(corpus.meta.filename, corpus.meta.scene_label, strict=True)
    for row, (filename, label) in enumerate(rows):
        scene = PurePosixPath(filename).name.split("-")[0]
        if CLASS_OF.get(scene, label) != label:
            raise InputError(
                f"class of {filename} contradicts its scene",
                where=at_line(corpus.root / "meta.csv", row),
                expected=CLASS_OF[scene],
                received=label,
            )
    return corpus
