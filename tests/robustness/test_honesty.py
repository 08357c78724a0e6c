"""Scores of a submission: which clips each training and each choice used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dcase_system.audio.specs import LogMelSpec
from dcase_system.audio.store import Waveforms
from dcase_system.challenge.run import run_split
from dcase_system.challenge.student import stage
from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.challenge.student.train import train_student
from dcase_system.corpora.corpus import Clips
from dcase_system.distillation import teachers
from dcase_system.distillation.ensemble_store import read_ensemble
from dcase_system.distillation.plan import TeacherPlan, trained_rows
from dcase_system.distillation.teachers import train_teachers
from dcase_system.training import plan as training_plan
from tests import toys

FRONT_END = LogMelSpec()
FAST = {"epochs": 1, "batch_size": 16}
SMALL = toys.toy_student()
pytestmark = pytest.mark.usefixtures("toy")
STUDENT = StudentPlan(architecture=toys.NAME, validation_fraction=0.3, **FAST)


class Read(Exception):
    """The dev-test list was read."""


class Untouchable:
    """Replaces the dev-test clips until they may be read."""

    def __getattr__(self, name):
        raise Read(name)

    def __len__(self):
        raise Read("len")


@pytest.fixture(scope="session")
def data(data_and_evaluation):
    return data_and_evaluation


def stored(waveforms: Waveforms) -> list[tuple[Path, int]]:
    """Where in the store each clip lies: file and row."""
    return [(waveforms.samples.path, row) for row in waveforms.rows.tolist()]


@pytest.fixture
def heard(monkeypatch):
    """Records the clips that each training gets, without training."""
    clips = []

    def fit(training, plan, **settings):
        held_out = training.validation
        assert len(training.waveforms) == len(training.targets)
        of_it = set(stored(held_out.waveforms)) if held_out else set()
        clips.append((set(stored(training.waveforms)), of_it))

    monkeypatch.setattr(stage, "fit", fit)
    monkeypatch.setattr(teachers, "fit", fit)
    return clips


def _assert_within_the_split(heard, data):
    train = stored(data.train.audio)
    location_of = dict(zip(train, data.train.clips.locations, strict=True))
    assert heard
    for trained_on, held_out in heard:
        assert held_out and trained_on
        assert trained_on | held_out == set(train)
        assert not trained_on & held_out
        assert not (trained_on | held_out) & set(stored(data.test.audio))
        locations = [{location_of[one] for one in clips} for clips in (trained_on, held_out)]
        assert not locations[0] & locations[1]


def test_a_teacher_hears_the_clips_of_its_split_alone(data, heard, tmp_path):
    plan = TeacherPlan(name="one", spec=SMALL, front_end=FRONT_END, validation_fraction=0.3, **FAST)
    train_teachers(tmp_path, [plan, replace(plan, name="two", seed=1)], data)
    assert len(heard) == 2
    _assert_within_the_split(heard, data)


def test_by_folds_no_logits_of_a_member_reach_a_clip_that_it_was_trained_on(
    data, heard, tmp_path, monkeypatch
):
    """Each member's logits are its number, so that each clip shows its source."""
    plan = TeacherPlan(name="1", spec=SMALL, front_end=FRONT_END, **FAST)
    plans = [replace(plan, name=str(one), folds=2, fold=one % 2) for one in range(3)]
    answers = iter(10.0 ** np.repeat(np.arange(3), 2))  # of the training and the dev-test list
    monkeypatch.setattr(
        teachers, "predict", lambda _, audio: np.full((len(audio), 10), next(answers), np.float32)
    )
    description = train_teachers(tmp_path, plans, data)
    assert list(description) == ["train", "out_of_fold", "dev_test"]
    ensemble = read_ensemble(
        tmp_path,
        split=data.split,
        scenes=data.scenes,
        filenames=data.train.clips.filenames,
        validation_fraction=0.0,
    )
    location_of = dict(zip(stored(data.train.audio), data.train.clips.locations, strict=True))
    for clip, logits in zip(location_of, ensemble.mean_logits("logits")[:, 0], strict=True):
        others = [number for number in range(3) if clip not in heard[number][0]]
        assert others in ([0, 2], [1])
        assert logits == np.mean([10.0**number for number in others], dtype=np.float32)
    for trained_on, _ in heard:
        others = set(location_of) - trained_on
        assert not {location_of[one] for one in trained_on} & {location_of[one] for one in others}


def test_a_student_hears_the_clips_of_its_split_alone(data, heard, tmp_path):
    train_student(tmp_path, STUDENT, replace(data, test=Untouchable()), None, None)
    _assert_within_the_split(heard, data)


def test_a_clip_of_another_list_would_be_found(data, heard, tmp_path):
    """The check itself is checked: with dev-test clips among the training clips it fails."""
    mixed = replace(data, train=data.test)
    train_student(tmp_path, STUDENT, mixed, None, None)
    with pytest.raises(AssertionError):
        _assert_within_the_split(heard, data)


def test_the_dev_test_list_is_not_read_before_the_final_scoring(data, heard, tmp_path):
    guarded = replace(data, test=Untouchable())
    with pytest.raises(Read):
        run_split(tmp_path, STUDENT, guarded, formats=("float16",))
    done = {path.parent.name for path in tmp_path.glob("*/stage.json")}
    assert {"student", "edge"} <= done
    assert not (tmp_path / "dev_test").exists()
    calibration = (tmp_path / "edge" / "calibration.csv").read_text().split()[1:]
    assert set(calibration) <= set(data.train.clips.filenames)


def test_validation_is_the_same_for_student_and_teachers(data):
    """Otherwise a student would be selected on clips that trained its teachers."""
    teacher = TeacherPlan(
        name="one", spec=SMALL, front_end=FRONT_END, validation_fraction=0.3, **FAST
    )
    rows = [
        training_plan.held_out_rows(data.train.clips, plan.validation_fraction)
        for plan in (STUDENT, teacher)
    ]
    np.testing.assert_array_equal(*rows)


def test_folds_are_drawn_among_the_clips_that_are_not_held_out():
    """Otherwise a student would be selected on clips that trained another fold's member."""
    places = [(scene, f"oslo-{scene}{place}") for scene in range(2) for place in range(6)]
    clips = Clips(
        filenames=tuple(place for _, place in places),
        labels=np.array([scene for scene, _ in places]),
        locations=tuple(place for _, place in places),
        devices=("a",) * len(places),
    )
    plan = TeacherPlan(name="1", spec=SMALL, front_end=FRONT_END, validation_fraction=0.3, **FAST)
    held_out = training_plan.held_out_rows(clips, 0.3)
    trained = [trained_rows(clips, replace(plan, folds=2, fold=fold)) for fold in range(2)]
    assert held_out.sum() == 4
    np.testing.assert_array_equal(trained[0] ^ trained[1], ~held_out)
    assert not (trained[0] & trained[1]).any()
