"""The fit on a small problem: learning, repeatability, resuming, refusals."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from dcase_system.audio.specs import LogMelSpec
from dcase_system.audio.store import Waveforms
from dcase_system.core.errors import InputError
from dcase_system.models.layers import conv_bn
from dcase_system.training import seeds
from dcase_system.training.augmented import augmented_model
from dcase_system.training.batches import prediction_batches, training_batches
from dcase_system.training.fit import Training, fit
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.log import TrainingLog
from dcase_system.training.optimizers import batches_seen
from dcase_system.training.plan import balanced_shares, label_loss
from dcase_system.training.predict import ValidationSet, predict
from dcase_system.training.schedule import Steps
from tests.training.curves import assert_drawn

SAMPLES, CLASSES, CLIPS = 2_000, 3, 40
SPEC = LogMelSpec(
    sample_rate=4_000, window_length=256, hop_length=100, fft_length=256, n_mels=16, max_hz=2_000.0
)


@pytest.fixture(scope="module")
def tones():
    """Noisy tones of three pitches, as rows of a store."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, CLIPS)
    pitches = np.array([200, 600, 1_400])[labels][:, None]
    clips = 0.3 * np.sin(2 * np.pi * pitches * np.arange(SAMPLES) / 4_000) + generator.normal(
        0, 0.1, (CLIPS, SAMPLES)
    )
    samples = np.clip(clips * 2**15, -(2**15), 2**15 - 1).astype(np.int16)
    return Waveforms(samples, np.arange(CLIPS), "tones"), labels


def build(seed: int = 0) -> keras.Model:
    seeds.set_seed(seed)
    inputs = keras.Input((16, 21, 1))
    x = conv_bn(inputs, 2, "only", (3, 3))
    x = keras.layers.Flatten()(
        keras.layers.AveragePooling2D((1, 21))(x)
    )  # pitch is all that counts
    network = keras.Model(inputs, keras.layers.Dense(CLASSES)(x))
    return augmented_model(
        network,
        SPEC,
        SAMPLES,
        roll_seconds=0.01,
        mask_mels=3,
        mask_frames=2,
        mixstyle_probability=0.2,
        mixstyle_alpha=0.3,
        seed=seed,
    )


PLAN = FitPlan(epochs=4, batch_size=16, learning_rate=0.02)


def train(model, tones, folder, plan=PLAN, validation=None, **changes):
    waveforms, labels = tones
    settings = {
        "loss": keras.losses.CategoricalCrossentropy(from_logits=True),
        "checkpoint": folder / "fit.safetensors",
        "metrics_log": TrainingLog(folder / "metrics.jsonl", folder / "curves"),
    }
    targets = np.eye(CLASSES, dtype=np.float32)[labels]
    fit(Training(model, waveforms, targets, validation=validation), plan, **(settings | changes))
    return model


def test_fit_learns(tones, tmp_path):
    model = train(build(), tones, tmp_path, replace(PLAN, epochs=30))
    accuracy = (predict(model, tones[0]).argmax(axis=1) == tones[1]).mean()
    assert accuracy > 0.9


def test_one_seed_repeats_bit_for_bit_and_another_differs(tones, tmp_path):
    results = [
        predict(train(build(seed), tones, tmp_path / name, replace(PLAN, seed=seed)), tones[0])
        for name, seed in (("one", 0), ("two", 0), ("three", 1))
    ]
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_rates_fall_in_steps_of_epochs(tones, tmp_path):
    plan = replace(PLAN, epochs=5, learning_rate=0.01, schedule=Steps(0.1, epochs=2))
    train(build(), tones, tmp_path, plan)
    rates = [json.loads(line)["learning_rate"] for line in (tmp_path / "metrics.jsonl").open()]
    np.testing.assert_allclose(rates, [1e-2, 1e-2, 1e-3, 1e-3, 1e-4], rtol=1e-5)


class _Stop(keras.callbacks.Callback):
    """Stands for Ctrl-C in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if batches_seen(self.model.optimizer) == 8:  # the second batch of the third epoch
            raise KeyboardInterrupt


# Of the three batches of an epoch, two are a step and one is left for the next epoch.
@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_resumed_training_ends_like_an_uninterrupted_one(tones, tmp_path, accumulation):
    plan = replace(PLAN, accumulation=accumulation)
    whole = train(build(), tones, tmp_path / "whole", plan)
    with pytest.raises(KeyboardInterrupt):
        train(build(), tones, tmp_path / "cut", plan, callbacks=[_Stop()])
    resumed = train(build(), tones, tmp_path / "cut", plan)
    np.testing.assert_array_equal(predict(whole, tones[0]), predict(resumed, tones[0]))
    logs = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "cut")]
    assert logs[0] == logs[1]
    assert [json.loads(line)["epoch"] for line in logs[0].splitlines()] == [1, 2, 3, 4]
    assert_drawn(tmp_path / "cut" / "metrics.jsonl", tmp_path / "cut" / "curves")


def test_a_finished_training_is_not_repeated(tones, tmp_path, monkeypatch):
    train(build(), tones, tmp_path)
    model = build()
    monkeypatch.setattr(model, "train_step", lambda data: pytest.fail("trained again"))
    train(model, tones, tmp_path)


def test_a_foreign_checkpoint_is_refused(tones, tmp_path):
    (tmp_path / "fit.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="checkpoint does not fit"):
        train(build(), tones, tmp_path)


def test_a_checkpoint_of_another_network_is_refused(tones, tmp_path):
    train(build(), tones, tmp_path, replace(PLAN, epochs=1))
    values = load_file(tmp_path / "fit.safetensors")
    values["00000"] = values["00000"][..., :1]
    save_file(values, tmp_path / "fit.safetensors")
    with pytest.raises(InputError, match="checkpoint does not fit \\(other variables\\)"):
        train(build(), tones, tmp_path, replace(PLAN, epochs=2))


def test_a_checkpoint_of_an_earlier_version_is_refused_not_passed_over(tones, tmp_path):
    np.savez(tmp_path / "fit.npz", values=np.zeros(3))
    with pytest.raises(InputError, match=r"fit\.npz: .* \(written by an earlier version\)"):
        train(build(), tones, tmp_path)


@pytest.mark.parametrize("validated", [False, True])
def test_a_diverged_training_ends_with_one_line(tones, tmp_path, validated):
    waveforms, labels = tones
    with pytest.raises(InputError, match="epoch 1: training has diverged; expected a finite loss"):
        train(
            build(),
            tones,
            tmp_path,
            loss=lambda y_true, y_pred: keras.ops.sum(y_pred, axis=-1) * float("nan"),
            validation=ValidationSet(waveforms, labels) if validated else None,
        )


def test_validation_is_logged_and_neither_it_nor_curves_change_the_training(tones, tmp_path):
    waveforms, labels = tones
    held = ValidationSet(waveforms.take(np.arange(10)), labels[:10])
    with_it = train(build(), tones, tmp_path / "with", validation=held)
    no_curves = TrainingLog(tmp_path / "without" / "metrics.jsonl")
    without = train(build(), tones, tmp_path / "without", metrics_log=no_curves)
    np.testing.assert_array_equal(predict(with_it, waveforms), predict(without, waveforms))
    files = [tmp_path / name / "fit.safetensors" for name in ("with", "without")]
    checkpoints = [file.read_bytes() for file in files]
    assert checkpoints[0] == checkpoints[1]
    last = json.loads((tmp_path / "with" / "metrics.jsonl").read_text().splitlines()[-1])
    assert 0 <= last["val_accuracy"] <= 100
    assert last["val_logloss"] > 0


def test_every_epoch_holds_every_clip_once(tones):
    waveforms, _ = tones
    identity = np.arange(CLIPS, dtype=np.float32)[:, None]
    stream = training_batches(waveforms, identity, 16, seed=3).as_numpy_iterator()
    epochs = [np.concatenate([next(stream)[1][:, 0] for _ in range(3)]) for _ in range(2)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(CLIPS))
    assert not np.array_equal(epochs[0], epochs[1])


def test_waveforms_and_targets_stay_together(tones):
    waveforms, labels = tones
    targets = np.eye(CLASSES, dtype=np.float32)[labels]
    clips, rows = next(training_batches(waveforms, targets, 40, seed=1).as_numpy_iterator())
    for clip, row in zip(clips, rows, strict=True):
        position = np.flatnonzero((waveforms.gather(np.arange(CLIPS)) == clip).all(axis=1))[0]
        assert row.argmax() == labels[position]


def test_a_resumed_stream_continues_the_order(tones):
    waveforms, _ = tones
    identity = np.arange(CLIPS, dtype=np.float32)[:, None]
    whole = training_batches(waveforms, identity, 16, seed=3).as_numpy_iterator()
    for _ in range(3):
        next(whole)
    resumed = training_batches(waveforms, identity, 16, seed=3, first_epoch=1).as_numpy_iterator()
    np.testing.assert_array_equal(next(whole)[1], next(resumed)[1])


def test_balanced_batches_have_rare_classes_as_often():
    labels = np.repeat([0, 1, 2], [90, 9, 1])
    shares = balanced_shares(labels)
    np.testing.assert_allclose([shares[labels == one].sum() for one in range(3)], 1 / 3)
    waveforms = Waveforms(np.zeros((100, 4), np.int16), np.arange(100), "zeros")
    targets = np.eye(3, dtype=np.float32)[labels]
    streams = [
        training_batches(waveforms, targets, 50, seed=3, shares=shares).as_numpy_iterator()
        for _ in range(2)
    ]
    drawn = np.concatenate([next(streams[0])[1] for _ in range(60)])
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, atol=0.05)
    np.testing.assert_array_equal(drawn[:50], next(streams[1])[1])


def test_with_several_labels_a_class_is_drawn_and_then_one_of_its_clips():
    labels = np.array([[1, 0], [1, 1], [0, 0], [1, 0], [1, 0]], np.float32)
    np.testing.assert_allclose(balanced_shares(labels), [1 / 8, 5 / 8, 0, 1 / 8, 1 / 8])


def test_the_loss_of_labels_is_that_of_one_or_of_several():
    logits, targets = np.array([[1.0, -2.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    one = np.log(np.exp(logits).sum()) - logits[0, 1]
    several = np.mean(np.log1p(np.exp(logits)) - targets * logits)
    assert float(label_loss(False)(targets, logits)) == pytest.approx(one, rel=1e-5)
    assert float(label_loss(True)(targets, logits)) == pytest.approx(several, rel=1e-5)


def test_prediction_covers_the_last_partial_batch(tones):
    waveforms, _ = tones
    sizes = [len(batch) for batch in prediction_batches(waveforms, 16).as_numpy_iterator()]
    assert sizes == [16, 16, 8]


def test_derived_seeds_differ():
    purposes = [(0, "mixup"), (1, "mixup"), (0, "stage"), (0, "stage", 1), (0, "stage", 2)]
    assert len({seeds.derive(*purpose) for purpose in purposes}) == len(purposes)
    assert seeds.derive(0, "stage", 1) == seeds.derive(0, "stage", 1)
