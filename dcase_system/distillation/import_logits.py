"""CP-JKU's published ensemble logits as teachers of the 100 % split.

The file (release `ensemble_logits` of fschmid56/cpjku_dcase23) holds the mean logits of three
CP-ResNet and three PaSST trained on the whole training list. It names no clips: its rows are those
of `fold1_train.csv`, which is `split100.csv`, in the order of `meta.csv`. The rules of 2024
require teachers of a smaller split to be trained on that split alone, so the store is of the
100 % split and students of other splits are rejected.
"""

from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from dcase_system.core.errors import InputError
from dcase_system.core.files import file_digest, replacing_directory
from dcase_system.core.folders import refuse_file
from dcase_system.corpora.corpus import Corpus, is_tau
from dcase_system.distillation import ensemble_store
from dcase_system.distillation.ensemble import describe_ensemble
from dcase_system.distillation.logits_store import LogitsStore, write_logits
from dcase_system.models.checkpoints.torch_file import read_tensor

_MEMBER = "cpjku_ensemble"
_SPLIT = 100
# Teachers trained on these very clips classify most of them correctly; with other clips, another
# order or other classes accuracy would drop to a tenth.
_LEAST_ACCURACY = 0.5


def import_logits(path: Path, corpus: Corpus, output: Path) -> dict:
    """Writes a folder of teachers with one member, ready for a student.

    Args:
        path: File with one tensor of (clips, classes).
        corpus: TAU 2022 Mobile.
        output: New folder.

    Returns:
        `describe_ensemble` of the training clips.

    Raises:
        InputError: The file holds anything else, or logits that do not belong to these clips and
            classes, or the folder is not empty.
    """
    if not is_tau(corpus.scenes):
        raise InputError(
            "published logits cover only TAU's scenes", where=corpus.root, received=corpus.scenes
        )
    refuse_file(output)
    if output.exists() and any(output.iterdir()):
        raise InputError("folder is not empty", where=output, expected="a new folder")
    clips = corpus.split(_SPLIT)
    logits = read_tensor(path).astype(np.float32)
    expected = (len(clips), len(corpus.scenes))
    if logits.shape != expected:
        raise InputError(
            "logits belong to other clips",
            where=path,
            expected=f"{expected[0]} clips x {expected[1]} scenes",
            received=f"shape {logits.shape}",
        )
    accuracy = balanced_accuracy_score(clips.labels, logits.argmax(axis=-1))
    if accuracy < _LEAST_ACCURACY:
        raise InputError(
            "logits do not fit the labels: other clips, or another order of clips or classes",
            where=path,
            expected=f"an accuracy of at least {_LEAST_ACCURACY:.0%}",
            received=f"{accuracy:.1%}",
        )
    key = file_digest(path)
    with replacing_directory(output) as temporary:
        write_logits(
            ensemble_store.logits_folder(temporary, _MEMBER) / ensemble_store.TRAIN_LOGITS,
            LogitsStore(key, _SPLIT, corpus.scenes, clips.filenames, logits),
        )
        description = describe_ensemble({_MEMBER: logits}, clips.labels)
        ensemble_store.write_ensemble(
            temporary,
            {_MEMBER: key},
            split=_SPLIT,
            scenes=corpus.scenes,
            validation_fraction=0.0,
            external_data=["dataset", "pre-trained model"],
            description={"train": description},
        )
    return description
