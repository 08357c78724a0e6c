"""Folders of teachers: the logits that a student gets, and refused folders."""

import json

import numpy as np
import pytest
from scipy.special import softmax

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import read_corpus
from dcase_system.distillation import import_logits as importing
from dcase_system.distillation.ensemble_store import (
    TRAIN_LOGITS,
    logits_folder,
    read_ensemble,
    write_ensemble,
)
from dcase_system.distillation.import_logits import import_logits
from dcase_system.distillation.logits_store import LogitsStore, write_logits

SCENES = ("bus", "metro", "tram")
CLIPS = ("audio/1.wav", "audio/2.wav")
LOGITS = {
    "one": np.float32([[1, 2, 3], [4, 5, 6]]),
    "two": np.float32([[3, 2, 1], [0, 1, 0]]),
}
WANTED = {"split": 25, "scenes": SCENES, "filenames": CLIPS, "validation_fraction": 0.0}


def store(folder, member, key, trained=None):
    write_logits(
        logits_folder(folder, member) / TRAIN_LOGITS,
        LogitsStore(key, 25, SCENES, CLIPS, LOGITS[member], trained),
    )


@pytest.fixture
def folder(tmp_path):
    for member in LOGITS:
        store(tmp_path, member, f"key of {member}")
    write_ensemble(
        tmp_path,
        {member: f"key of {member}" for member in LOGITS},
        split=25,
        scenes=SCENES,
        validation_fraction=0.2,
        external_data=["dataset"],
        description={"train": {}},
    )
    return tmp_path


def test_a_student_gets_the_mean_of_the_members_logits(folder):
    ensemble = read_ensemble(folder, **WANTED)
    np.testing.assert_array_equal(ensemble.mean_logits("logits"), [[2, 2, 2], [2, 3, 3]])
    assert ensemble.members == ("one", "two")
    assert ensemble.external_data == ("dataset",)


def test_the_key_changes_with_a_member(folder):
    before = read_ensemble(folder, **WANTED).key
    store(folder, "two", "another key")
    content = json.loads((folder / "ensemble.json").read_text())
    content["members"]["two"] = "another key"
    (folder / "ensemble.json").write_text(json.dumps(content))
    assert read_ensemble(folder, **WANTED).key != before


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"split": 5}, "teacher trained on another split; expected split 5; received split"),
        ({"scenes": SCENES[::-1]}, "another class order"),
        ({"filenames": (*CLIPS, "audio/3.wav")}, r"other clips; expected 3 clips, audio/3\.wav"),
        (
            {"validation_fraction": 0.3},
            "teachers were trained on the validation clips; expected teachers with a validation "
            r"fraction of 0\.3; received 0\.2",
        ),
    ],
)
def test_teachers_of_something_else_are_refused(folder, asked, message):
    with pytest.raises(InputError, match=message):
        read_ensemble(folder, **(WANTED | asked))


def test_teachers_that_held_out_the_same_clips_serve_a_validation(folder):
    assert read_ensemble(folder, **(WANTED | {"validation_fraction": 0.2})).members


def test_a_store_that_another_training_left_is_stale(folder):
    store(folder, "two", "key of a later training")
    with pytest.raises(
        InputError, match=r"two/logits/train\.safetensors: logits belong to another teacher"
    ):
        read_ensemble(folder, **WANTED)


def test_by_folds_a_clip_gets_the_logits_of_members_that_were_not_trained_on_it(folder):
    store(folder, "one", "key of one", (True, False))
    store(folder, "two", "key of two", (False, True))
    for filenames, expected in (
        (CLIPS, [LOGITS["two"][0], LOGITS["one"][1]]),
        (CLIPS[::-1], [LOGITS["one"][1], LOGITS["two"][0]]),
    ):
        ensemble = read_ensemble(folder, **(WANTED | {"filenames": filenames}))
        np.testing.assert_array_equal(ensemble.mean_logits("logits"), expected)
        probabilities = softmax(ensemble.mean_logits("probabilities"), axis=-1)
        np.testing.assert_allclose(probabilities, softmax(expected, axis=-1), rtol=1e-5)
    # A member without the record counts as trained on every clip.
    for trained in ((True, True), (False, True), None):
        store(folder, "one", "key of one", trained)
        with pytest.raises(InputError, match=r"trained on a clip; .* received audio/2\.wav"):
            read_ensemble(folder, **WANTED)


@pytest.mark.parametrize("content", [None, "no json", "[]", "{}", '{"members": 3}'])
def test_unfinished_folders_are_refused_in_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "ensemble.json").write_text(content)
    with pytest.raises(InputError, match=r"ensemble\.json: not a folder of finished") as caught:
        read_ensemble(tmp_path, **WANTED)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def corpus(demo):
    return read_corpus(demo.development)


@pytest.fixture
def published(corpus, monkeypatch):
    """Replaces the published file; the returned function sets its content."""

    def give(logits):
        monkeypatch.setattr(importing, "read_tensor", lambda path: logits)

    labels = corpus.split(100).labels
    give.logits = 4 * np.eye(len(tau.SCENES))[labels] + np.random.default_rng(0).normal(
        size=(len(labels), len(tau.SCENES))
    )
    return give


@pytest.fixture
def file(tmp_path):
    (tmp_path / "ensemble_logits.pt").write_bytes(b"logits")
    return tmp_path / "ensemble_logits.pt"


def wanted(corpus, split):
    clips = corpus.split(split)
    return WANTED | {"split": split, "scenes": corpus.scenes, "filenames": clips.filenames}


def test_published_logits_serve_the_whole_list_and_no_smaller_split(
    corpus, published, file, tmp_path
):
    published(published.logits)
    description = import_logits(file, corpus, tmp_path / "out")
    assert description["ensemble"]["accuracy"] > 80
    ensemble = read_ensemble(tmp_path / "out", **wanted(corpus, 100))
    np.testing.assert_allclose(ensemble.mean_logits("logits"), published.logits, rtol=1e-6)
    for split in (5, 10, 25, 50):
        with pytest.raises(InputError, match="teacher trained on another split"):
            read_ensemble(tmp_path / "out", **wanted(corpus, split))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda logits: logits[:-1], "logits belong to other clips; expected .* clips x 10 scenes"),
        (lambda logits: logits[:, :-1], "logits belong to other clips"),
        (lambda logits: logits[:, ::-1], "do not fit the labels: other clips, or another order"),
        (lambda logits: np.roll(logits, 20, axis=0), "do not fit the labels"),
        (
            lambda logits: np.vstack([logits[:-1], np.nan * logits[:1]]),
            "logits cannot be stored; expected finite values",
        ),
    ],
)
def test_foreign_logits_are_refused_and_nothing_is_written(
    corpus, published, file, tmp_path, change, message
):
    published(change(published.logits))
    with pytest.raises(InputError, match=message):
        import_logits(file, corpus, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_import_overwrites_nothing(corpus, published, file, tmp_path):
    published(published.logits)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="folder is not empty"):
        import_logits(file, corpus, tmp_path / "out")


@pytest.mark.torch
def test_published_logits_are_read_from_pytorch(corpus, published, tmp_path):
    import torch

    torch.save(torch.from_numpy(published.logits).half(), tmp_path / "ensemble_logits.pt")
    import_logits(tmp_path / "ensemble_logits.pt", corpus, tmp_path / "out")
    ensemble = read_ensemble(tmp_path / "out", **wanted(corpus, 100))
    np.testing.assert_allclose(
        ensemble.mean_logits("logits"), published.logits, rtol=1e-3, atol=1e-3
    )
    torch.save({"logits": torch.ones(3)}, tmp_path / "dictionary.pt")
    with pytest.raises(InputError, match="does not hold exactly one tensor; received a dictionary"):
        import_logits(tmp_path / "dictionary.pt", corpus, tmp_path / "other")
