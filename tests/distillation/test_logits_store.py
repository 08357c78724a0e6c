import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.special import softmax

from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble import describe_ensemble, ensemble_logits
from dcase_system.distillation.logits_store import LogitsStore, read_logits, write_logits
from tests.commands import ROOT

SCENES = ("bus", "metro", "tram")
CLIPS = ("audio/1.wav", "audio/2.wav", "audio/3.wav", "audio/4.wav")
LOGITS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
STORE = LogitsStore("fingerprint", 25, SCENES, CLIPS, LOGITS)
WANTED = {"split": 25, "scenes": SCENES, "filenames": CLIPS}


@pytest.fixture
def path(tmp_path):
    write_logits(tmp_path / "logits.safetensors", STORE)
    return tmp_path / "logits.safetensors"


def test_logits_come_back_in_the_order_of_the_run(path):
    order = [2, 0, 3, 1]
    store = read_logits(
        path, **{**WANTED, "filenames": [CLIPS[row] for row in order]}, teacher="fingerprint"
    )
    np.testing.assert_array_equal(store.logits, LOGITS[order])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"teacher": "another"},
            "logits belong to another teacher; expected fingerprint another; received fingerprint",
        ),
        (
            {"split": 5},
            "teacher trained on another split; expected split 5; received split 25",
        ),
        (
            {"scenes": SCENES[::-1]},
            "another class order; expected tram, metro, bus; received bus, metro, tram",
        ),
        ({"filenames": CLIPS[:3]}, "logits belong to other clips; expected 3 clips; received 4"),
        ({"filenames": (*CLIPS[:3], "x.wav")}, r"other clips; expected 4 clips, x\.wav among them"),
    ],
)
def test_logits_of_something_else_are_refused(path, asked, message):
    with pytest.raises(InputError, match=message):
        read_logits(path, **{**WANTED, **asked})


def test_a_pickle_is_refused_and_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("code in the file was run",))

    path = tmp_path / "logits.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"logits\.safetensors: not a logits store"):
        read_logits(path, **WANTED)


def test_missing_truncated_and_foreign_files_are_refused(path, tmp_path):
    with pytest.raises(InputError, match="logits store is missing"):
        read_logits(tmp_path / "gone.safetensors", **WANTED)
    save_file({"logits": LOGITS}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="not a logits store; expected teacher, split, scenes"):
        read_logits(tmp_path / "other.safetensors", **WANTED)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="not a logits store"):
        read_logits(path, **WANTED)


def test_a_store_of_an_earlier_version_is_named_and_how_it_is_made_anew(tmp_path):
    np.savez(tmp_path / "train.npz", logits=LOGITS)
    with pytest.raises(InputError, match=r"train\.npz: logits were stored by an earlier version;"):
        read_logits(tmp_path / "train.safetensors", **WANTED)


def test_the_header_says_whose_logits_they_are(path):
    with safe_open(path, "np") as file:
        header = json.loads(file.metadata()["store"])
    assert header == {
        "teacher": "fingerprint",
        "split": 25,
        "scenes": list(SCENES),
        "filenames": list(CLIPS),
    }


@pytest.mark.parametrize(
    "change",
    [
        {"split": "25"},
        {"split": 25.5},
        {"teacher": None},
        {"scenes": "bus"},
        {"filenames": [1, 2, 3, 4]},
        {"more": 1},
    ],
)
def test_a_header_of_other_kinds_is_refused(path, change):
    with safe_open(path, "np") as file:
        header = json.loads(file.metadata()["store"]) | change
    save_file({"logits": LOGITS}, path, {"store": json.dumps(header)})
    with pytest.raises(InputError, match="not a logits store"):
        read_logits(path, **WANTED)


def test_what_a_teacher_was_trained_on_comes_back_in_the_order_of_the_run(tmp_path):
    path = tmp_path / "logits.safetensors"
    write_logits(path, replace(STORE, trained=(True, False, True, True)))
    assert read_logits(path, **(WANTED | {"filenames": CLIPS[::-1]})).trained == (
        *(True, True, False, True),
    )
    write_logits(path, replace(STORE, trained=(True,)))
    with pytest.raises(InputError, match="damaged; expected 4 clips in `trained`; received 1"):
        read_logits(path, **WANTED)


@pytest.mark.parametrize(
    "logits", [LOGITS[:3], LOGITS.astype(np.float64), LOGITS * np.float32("inf"), LOGITS[0]]
)
def test_logits_of_another_shape_or_kind_are_refused(path, logits):
    with safe_open(path, "np") as file:
        header = file.metadata()
    save_file({"logits": logits}, path, header)
    with pytest.raises(InputError, match="logits store is damaged"):
        read_logits(path, **WANTED)


def test_one_store_has_the_same_bytes_whenever_it_is_written(path, tmp_path):
    # Texts in the header have no order of their own: in another process it may be another.
    code = (
        "import numpy as np; from tests.distillation.test_logits_store import *; "
        f"write_logits({str(tmp_path / 'again')!r}, STORE)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "logits.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_logits(path, **WANTED)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("logits", [LOGITS[:3], LOGITS * np.nan])
def test_logits_that_do_not_fit_are_not_written(tmp_path, logits):
    with pytest.raises(InputError, match="logits cannot be stored"):
        write_logits(tmp_path / "logits.safetensors", LogitsStore("t", 25, SCENES, CLIPS, logits))
    assert list(tmp_path.iterdir()) == []


def test_ensemble_is_the_mean_of_logits():
    members = {"one": LOGITS, "two": 3 * LOGITS}
    np.testing.assert_allclose(ensemble_logits(members), 2 * LOGITS)
    with pytest.raises(ValueError, match="expected members of one shape"):
        ensemble_logits({"one": LOGITS, "two": LOGITS[:2]})


def test_mean_probabilities_are_those_of_the_members():
    members = {"one": LOGITS, "two": 3 * LOGITS}
    mean = ensemble_logits(members, "probabilities")
    expected = (softmax(LOGITS, axis=-1) + softmax(3 * LOGITS, axis=-1)) / 2
    np.testing.assert_allclose(softmax(mean, axis=-1), expected, rtol=1e-5)


def test_a_member_counts_and_is_scored_where_it_is_used():
    labels, right = np.array([0, 1, 2, 0]), 9.0 * np.eye(3)
    members = {"one": right[[0, 1, 0, 1]], "two": right[[1, 0, 2, 0]]}
    used = {"one": np.array([True, True, False, False])}
    used["two"] = ~used["one"]
    np.testing.assert_array_equal(ensemble_logits(members, used=used), right[labels])
    rows = describe_ensemble(members, labels, used)
    assert [row["accuracy"] for row in rows.values()] == [100.0] * 3
    others = {name: ~rows for name, rows in used.items()}
    assert describe_ensemble(members, labels, others)["one"]["accuracy"] == 0.0


def test_with_recordings_the_description_has_intervals():
    labels = np.array([0, 1, 0, 1])
    members = {"one": 9.0 * np.eye(2)[[0, 1, 1, 1]]}
    interval = describe_ensemble(members, labels, clusters=["a", "a", "b", "b"])["one"][
        "interval_95"
    ]
    assert interval == (50.0, 100.0)  # of b alone, and of a alone
    alone = describe_ensemble(members, labels, clusters=["a"] * 4)
    assert alone["one"]["interval_95"] is None
    several = describe_ensemble(members, np.eye(2)[labels], clusters=["a", "a", "b", "b"])["one"]
    assert several["chance"] == 0.5 and several["interval_95"][1] == 1.0


def test_description_states_accuracy_entropy_and_agreement():
    labels = np.array([0, 1, 2, 0])
    certain, uniform = 50.0 * np.eye(3)[labels], np.zeros((4, 3))
    rows = describe_ensemble({"certain": certain, "uniform": uniform}, labels)
    assert list(rows) == ["certain", "uniform", "ensemble"]
    assert rows["certain"]["accuracy"] == rows["ensemble"]["accuracy"] == 100.0
    assert rows["certain"]["entropy"] == pytest.approx(0.0, abs=1e-9)
    assert rows["uniform"]["entropy"] == pytest.approx(np.log(3))
    assert rows["ensemble"]["agreement"] == 100.0
    assert rows["uniform"]["agreement"] == 50.0  # arg-max of equal logits is the first class
