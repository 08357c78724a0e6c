import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from dcase_system.core.errors import InputError
from dcase_system.training.metrics import calibration_error, clustered_interval, intervals, score

SCENES = ("bus", "metro", "park", "tram")
GROUPS = {"real": ("a",), "seen": ("s1",), "unseen": ("s4",)}


def case(seed: int, clips: int = 60):
    generator = np.random.default_rng(seed)
    probabilities = softmax(generator.normal(size=(clips, 4)), axis=-1)
    labels = np.concatenate([np.arange(4), generator.integers(0, 4, clips - 4)])
    devices = (*generator.choice(["a", "s1", "s4"], clips - 3), "a", "s1", "s4")
    return probabilities, labels, devices


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_scores_are_means_over_clips_and_over_classes(seed):
    probabilities, labels, devices = case(seed)
    scores = score(probabilities, labels, SCENES, devices, GROUPS)
    right = probabilities.argmax(axis=1) == labels
    losses = -np.log(probabilities[np.arange(len(labels)), labels])
    for index, scene in enumerate(SCENES):
        rows = labels == index
        assert scores.class_wise[scene].accuracy == pytest.approx(100 * right[rows].mean())
        assert scores.class_wise[scene].logloss == pytest.approx(losses[rows].mean())
        assert scores.class_wise[scene].clips == rows.sum()
    of_classes = scores.class_wise.values()
    assert scores.overall.accuracy == pytest.approx(np.mean([one.accuracy for one in of_classes]))
    assert scores.overall.logloss == pytest.approx(np.mean([one.logloss for one in of_classes]))
    for group, (device,) in GROUPS.items():
        rows = np.array(devices) == device
        assert scores.device_wise[device] == scores.group_wise[group]
        assert scores.device_wise[device].accuracy == pytest.approx(100 * right[rows].mean())
        assert scores.device_wise[device].logloss == pytest.approx(losses[rows].mean())
        assert scores.device_wise[device].clips == rows.sum()


def test_macro_accuracy_weighs_classes_not_clips():
    labels = np.array([0] * 9 + [1])
    scores = score(np.eye(4)[[0] * 10], labels, SCENES, ["a"] * 10, {"real": ("a",)})
    assert scores.overall.accuracy == pytest.approx(50.0)
    assert scores.device_wise["a"].accuracy == pytest.approx(90.0)


def test_log_loss_of_a_certain_mistake_is_finite():
    assert score(np.eye(4)[[1]], np.array([0]), SCENES, ["a"], {}).overall.logloss == pytest.approx(
        36.04, abs=0.01
    )


def test_nan_predictions_are_refused():
    with pytest.raises(InputError, match="predictions are NaN"):
        score(np.full((1, 4), np.nan), np.array([0]), SCENES, ["a"], {})


def test_interval_holds_the_accuracy_and_is_wider_for_larger_recordings():
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 100)
    correct_by_recording = generator.random(40) < 0.7
    recordings = np.repeat(np.arange(40), 10)
    correct = correct_by_recording[recordings]
    low, high = clustered_interval(correct, labels, [str(name) for name in recordings])
    clip_low, clip_high = clustered_interval(correct, labels, [str(name) for name in range(400)])
    assert low < 100 * correct.mean() < high
    assert high - low > 2 * (clip_high - clip_low)


def test_interval_repeats_with_its_seed():
    correct, labels = np.array([True, False] * 20), np.array([0, 1] * 20)
    clusters = [str(index // 4) for index in range(40)]
    assert clustered_interval(correct, labels, clusters) == clustered_interval(
        correct, labels, clusters
    )


def test_interval_of_one_recording_is_its_accuracy():
    assert clustered_interval(np.array([True, False]), np.array([0, 0]), ["x", "x"]) == (50.0, 50.0)


@pytest.mark.parametrize("seed", range(3))
def test_every_part_has_an_interval_around_its_accuracy(seed):
    probabilities, labels, devices = case(seed, clips=400)
    recordings = [str(index // 4) for index in range(400)]
    scored = score(probabilities, labels, SCENES, devices, GROUPS)
    correct = probabilities.argmax(axis=1) == labels
    found = intervals(correct, labels, SCENES, devices, GROUPS, recordings)
    assert found["overall"] == clustered_interval(correct, labels, recordings)
    for part in ("class_wise", "device_wise", "group_wise"):
        assert found[part].keys() == getattr(scored, part).keys()
        for name, (low, high) in found[part].items():
            assert low < getattr(scored, part)[name].accuracy < high


def test_a_part_of_one_recording_has_no_interval():
    correct, labels = np.array([True, False, True]), np.array([0, 0, 1])
    found = intervals(correct, labels, SCENES, ["a", "a", "s1"], GROUPS, ["x", "x", "y"])
    assert found["overall"] is not None
    assert found["class_wise"] == {"bus": None, "metro": None}
    assert found["device_wise"] == {"a": None, "s1": None}
    assert found["group_wise"]["unseen"] is None  # not even a clip


def test_calibration_error_is_the_mean_gap_between_certainty_and_accuracy_of_bins():
    certain_and_half_right = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert calibration_error(certain_and_half_right, np.array([0, 1])) == pytest.approx(50.0)
    # Two bins, each 0.1 off: 0.6 with half of its clips right, 0.9 with all of them.
    mixed = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    assert calibration_error(mixed, np.array([0, 1, 0, 0])) == pytest.approx(10.0)
    assert calibration_error(np.eye(3), np.arange(3)) == 0.0
