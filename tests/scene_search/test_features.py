"""Segments, their statistics, and the clip predictions from theirs."""

import keras
import numpy as np
import pytest

from dcase_system.audio.store import Waveforms
from dcase_system.core.errors import InputError
from dcase_system.models.scene_cnn import scene_spec
from dcase_system.models.signature import clip_probabilities
from dcase_system.scene_search import training
from dcase_system.scene_search.features import Scalograms, scalograms
from dcase_system.scene_search.training import (
    ScenePlan,
    score_segments,
    trained_network,
)
from dcase_system.training.log import TrainingLog
from tests.scene_search.toys import FRONT_END

SPEC = scene_spec(6, [(1, 3, "avg"), (0, 2, "max")], 1.5, input_shape=(12, 16))


def stored(clips: int = 5, segments: int = 2, seed: int = 0) -> Scalograms:
    generator = np.random.default_rng(seed)
    values = generator.normal(-40, 9, (clips, segments, 12, 16, 2)).astype(np.float32)
    return Scalograms(values, "key")


def test_statistics_take_features_into_the_unit_range():
    features = stored()
    segments = features.segments(features.statistics())
    x = segments.gather(np.arange(len(segments)))
    np.testing.assert_allclose(x.mean(axis=(0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.abs(x).max(axis=(0, 2)), 1, rtol=1e-5)


def test_statistics_are_of_the_clips_they_are_asked_for():
    features = stored()
    two = features.statistics(np.array([1, 3]))
    np.testing.assert_allclose(two.mean, features.values[[1, 3]].mean(axis=(0, 1, 3)), rtol=1e-5)


def test_a_band_that_never_changes_becomes_zero():
    values = stored().values.copy()
    values[..., 1] = 0.0
    features = Scalograms(values, "key")
    x = features.segments(features.statistics()).gather(np.arange(10))
    assert (x[..., 1] == 0).all()


def test_segments_are_counted_clip_by_clip():
    features = stored()
    segments = features.segments(features.statistics(), np.array([4, 0]))
    assert (len(segments), segments.per_clip, segments.shape) == (4, 2, (12, 16, 2))
    expected = segments.statistics.normalised(features.values[[4, 4, 0, 0], [0, 1, 0, 1]])
    np.testing.assert_array_equal(segments.gather(np.arange(4)), expected)


def test_features_are_computed_once(tmp_path):
    samples = np.random.default_rng(0).integers(-9_000, 9_000, (3, 40_000, 2)).astype(np.int16)
    clips = Waveforms(samples, np.arange(3), "clips")
    first = scalograms(tmp_path, clips, ["a", "b", "c"], FRONT_END)
    assert first.values.shape == (3, 2, FRONT_END.bands, 32, 2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = scalograms(tmp_path, clips, ["a", "b", "c"], FRONT_END)
    assert again.key == first.key
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert scalograms(tmp_path, clips, ["c", "b", "a"], FRONT_END).key != first.key


def test_one_channel_and_short_clips_are_refused(tmp_path):
    mono = Waveforms(np.zeros((1, 40_000), np.int16), np.arange(1), "mono")
    with pytest.raises(InputError, match=r"wrong number of channels; expected 2; received 1"):
        scalograms(tmp_path, mono, ["a"], FRONT_END)
    short = Waveforms(np.zeros((1, 9_000, 2), np.int16), np.arange(1), "short")
    with pytest.raises(InputError, match="clip is shorter than a segment"):
        scalograms(tmp_path, short, ["a"], FRONT_END)


LOGITS = np.array([[2.0, -1.0], [0.0, 1.0], [1.0, -2.0], [3.0, 0.5], [-1.0, 2.0], [0.5, 0.0]])


def test_accuracy_is_given_over_classes_and_over_clips():
    """Table 4 gives "accuracy" of the test set; DCASE ranks by the mean over the classes."""
    score = score_segments(LOGITS, 1, np.array([0, 0, 0, 0, 1, 1]), ("x", "y"))
    assert score.accuracy == pytest.approx((75 + 50) / 2)
    assert score.clip_accuracy == pytest.approx(100 * 4 / 6)
    assert score.class_wise["y"]["accuracy"] == pytest.approx(50)


def test_the_loss_is_the_mean_binary_cross_entropy_of_all_segments():
    """Section 4.3: "trained with binary cross-entropy loss"; 3.3: the "lowest test loss"."""
    score = score_segments(LOGITS, 2, np.array([0, 1, 0]), ("x", "y"))
    targets = np.repeat(np.eye(2)[[0, 1, 0]], 2, axis=0)
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    assert score.loss == pytest.approx(float(entropy(targets, LOGITS)), rel=1e-5)
    assert score_segments(200 * LOGITS, 2, np.array([0, 1, 0]), ("x", "y")).loss < 200


def test_a_clip_is_decided_by_the_mean_of_its_segments_probabilities():
    """Section 3.1: "probabilities for an audio file are the average of its segments'
    probabilities"."""
    logits = np.array([[9.0, 0.0], [-0.2, 0.2], [-0.2, 0.2]])  # two of three segments for y
    assert score_segments(logits, 3, np.array([0]), ("x", "y")).clip_accuracy == 100
    probabilities = clip_probabilities(logits, 3, "sigmoid")
    np.testing.assert_allclose(probabilities[0], (1 / (1 + np.exp(-logits))).mean(axis=0))


def test_scores_of_what_is_no_number_are_refused():
    with pytest.raises(InputError, match="predictions are NaN"):
        score_segments(LOGITS * np.nan, 1, np.array([0, 0, 0, 0, 1, 1]), ("x", "y"))


def _train(folder, epochs=2, **settings):
    features = stored(clips=12)
    plan = ScenePlan(epochs=epochs, batch_size=8, **settings)
    return trained_network(
        SPEC,
        features.segments(features.statistics()),
        np.arange(12) % 3,
        plan,
        checkpoint=folder / "checkpoint.safetensors",
        metrics_log=TrainingLog(folder / "metrics.jsonl"),
        name="toy",
    )


@pytest.mark.parametrize(("segments", "batches"), [(512, 3), (0, 0)])
def test_statistics_are_taken_anew_only_if_the_plan_says_so(
    tmp_path, monkeypatch, segments, batches
):
    seen = []
    monkeypatch.setattr(training, "recalibrate", lambda _, given: seen.extend(given))
    _train(tmp_path, epochs=1, calibration_segments=segments)
    assert len(seen) == batches


@pytest.mark.slow
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path):
    whole = _train(tmp_path / "whole")

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    from dcase_system.training import callbacks

    original = callbacks.StopIfDiverged
    callbacks.StopIfDiverged = Interrupt
    try:
        with pytest.raises(KeyboardInterrupt):
            _train(tmp_path / "parts")
    finally:
        callbacks.StopIfDiverged = original
    resumed = _train(tmp_path / "parts")
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
