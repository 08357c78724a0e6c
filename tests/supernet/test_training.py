"""Training a supernet: the average in a step, learning, repeatability, resuming."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.distillation.alpha_divergence import AlphaDivergence
from dcase_system.distillation.losses import pack_targets
from dcase_system.supernet.calibration import SubNetworks
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.plans import SupernetPlan
from dcase_system.supernet.scoring import FeatureBatches, SubNetworkScorer
from dcase_system.supernet.search_space import paper_space
from dcase_system.supernet.step import SupernetTraining
from dcase_system.supernet.training import train_supernet
from dcase_system.training import seeds
from dcase_system.training.callbacks import Progress
from dcase_system.training.log import TrainingLog
from tests.supernet.networks import CLIPS, FRONT_END, SHALLOW, features, small_supernet, tones

SPACE = paper_space("X", "layer", SHALLOW)
SMALL_MASKS = {"batch_size": 16, "mask_mels": 2, "mask_frames": 4, "masks": 1}
EPOCH = 3  # steps: 40 clips in batches of 16


def train(folder, *, space=SPACE, targets=None, **settings):
    seeds.set_seed(0)
    waveforms, labels = tones()
    supernet = ElasticNetwork(SHALLOW)
    plan = SupernetPlan(**({"steps": 2 * EPOCH} | SMALL_MASKS | settings))
    train_supernet(
        supernet,
        space,
        FRONT_END,
        waveforms,
        labels if targets is None else targets,
        plan,
        checkpoint=folder / "training.safetensors",
        metrics_log=TrainingLog(folder / "metrics.jsonl"),
        name="supernet",
    )
    return supernet


def weights_of(supernet):
    return [weight.numpy() for weight in supernet.weights]


def logged(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_every_sub_network_learns(tmp_path):
    supernet = train(
        tmp_path, steps=150, largest_steps=50, batch_size=8, learning_rate=0.01, samples=2, masks=0
    )
    waveforms, labels = tones()
    batches = FeatureBatches(
        waveforms, SupernetTraining(supernet, FRONT_END, SupernetPlan(steps=1)).front_end
    )
    clips = batches.mapped(tmp_path)
    for mapped, computed in zip(clips, batches, strict=True):
        np.testing.assert_array_equal(mapped, computed)
    score = SubNetworkScorer(SubNetworks(supernet), clips, clips, labels)
    assert score(SPACE.spec(SPACE.largest)) > 0.9, score(SPACE.spec(SPACE.largest))
    assert score(SPACE.spec(SPACE.smallest)) > 0.8
    assert len(logged(tmp_path)) == 30


def training_model(**settings) -> SupernetTraining:
    """Builds a model without dropout or masks, whose steps a test can call."""
    seeds.set_seed(0)
    supernet = small_supernet(spec=SHALLOW)
    for dropout in supernet.dropouts:
        dropout.rate = 0.0
    plan = SupernetPlan(steps=4, masks=0, **settings)
    model = SupernetTraining(supernet, FRONT_END, plan, SPACE)
    model.compile(keras.optimizers.SGD(1.0), keras.losses.BinaryCrossentropy(from_logits=True))
    model(np.zeros((1, 3_200), np.float32))
    return model


def test_a_step_averages_the_gradients_of_its_sub_networks():
    model, twin = training_model(samples=3), training_model()
    x, labels = features(4), np.eye(4, 3, dtype=np.float32)
    drawn, each = [], []
    for index in range(3):
        twin._begin_draws(index)
        drawn.append(twin.sampler.draw().numpy())
        each.append(twin.gradients(drawn[-1], x, labels))
    assert len({widths.tobytes() for widths in drawn}) > 1
    gradients, loss = model._over_samples(model.sampler, tf.constant(x), tf.constant(labels))
    assert float(loss) == pytest.approx(np.mean([float(one[1]) for one in each]), rel=1e-5)
    for index, gradient in enumerate(gradients):
        expected = np.mean([one[0][index].numpy() for one in each], axis=0)
        np.testing.assert_allclose(gradient, expected, atol=1e-5)


def test_in_place_the_others_learn_from_the_largest_one():
    settings = {"samples": 2, "sampling": "sandwich"}
    model, twin = training_model(**settings, in_place=True), training_model(**settings)
    x, labels = features(4), np.eye(4, 3, dtype=np.float32)
    _, largest_loss, logits = twin.gradients(twin.sampler.largest, x, labels)
    _, loss_from_largest, _ = twin.gradients(twin.sampler.smallest, x, tf.sigmoid(logits))
    _, loss = model._over_samples(model.sampler, tf.constant(x), tf.constant(labels))
    assert float(loss) == pytest.approx(float(largest_loss + loss_from_largest) / 2, rel=1e-5)


def test_in_place_the_others_may_learn_by_a_clipped_divergence():
    settings = {"samples": 2, "sampling": "sandwich"}
    model = training_model(**settings, in_place=True, divergence=AlphaDivergence())
    twin, x, labels = training_model(**settings), features(4), np.eye(4, 3, dtype=np.float32)
    _, largest_loss, teacher = twin.gradients(twin.sampler.largest, x, labels)
    *_, logits = twin.gradients(twin.sampler.smallest, x, labels)
    zero = tf.zeros_like(logits)
    classes = AlphaDivergence()(tf.stack([teacher, zero], -1), tf.stack([logits, zero], -1))
    _, loss = model._over_samples(model.sampler, tf.constant(x), tf.constant(labels))
    expected = float(largest_loss + tf.reduce_mean(classes)) / 2
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_first_the_largest_alone_then_samples(tmp_path):
    """Until the samples begin, training is that of the largest network."""
    with_samples = train(tmp_path / "a", steps=2 * EPOCH, largest_steps=2 * EPOCH)
    alone = train(tmp_path / "b", steps=2 * EPOCH, space=None)
    for one, other in zip(weights_of(with_samples), weights_of(alone), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("accumulation", [1, 2])
def test_samples_begin_after_the_steps_of_the_largest_one(accumulation):
    plan = {"largest_steps": 2, "samples": 2, "accumulation": accumulation}
    model, x, labels = training_model(**plan), features(4), np.eye(4, 3, dtype=np.float32)
    _, of_largest, _ = model.gradients(model.sampler.largest, x, labels)
    for batch in range(2 * accumulation + 2):
        model.batches_seen.assign(batch)
        _, loss = model._over_samples(model.sampler, tf.constant(x), tf.constant(labels))
        alone = float(loss) == pytest.approx(float(of_largest), rel=1e-5)
        assert alone == (batch < 2 * accumulation)


@given(
    steps=st.integers(1, 10**6),
    clips=st.integers(1, 10**5),
    batch=st.integers(1, 256),
    accumulation=st.integers(1, 4),
)
def test_a_training_has_the_fewest_passes_that_hold_its_steps(steps, clips, batch, accumulation):
    plan = SupernetPlan(steps=steps, batch_size=batch, accumulation=accumulation)
    batches, passes = -(-clips // batch), plan.fit_plan(clips).epochs
    assert (passes - 1) * batches < steps * accumulation <= passes * batches


def test_only_the_teacher_counts(tmp_path):
    _, labels = tones()
    teacher = np.random.default_rng(0).normal(size=labels.shape)
    plan = {"steps": EPOCH, "largest_steps": 0, "samples": 1}
    one = train(tmp_path / "a", targets=pack_targets(labels, teacher), **plan)
    other = train(tmp_path / "b", targets=pack_targets(1 - labels, teacher), **plan)
    for mine, its in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.slow
def test_sandwich_in_place_accumulation_and_mixup_run(tmp_path):
    options = {"sampling": "sandwich", "samples": 3, "in_place": True, "accumulation": 2}
    train(tmp_path / "a", steps=2 * EPOCH, **options)
    train(tmp_path / "b", steps=2 * EPOCH, mixup=True, space=None)
    assert all(np.isfinite(line["loss"]) for name in "ab" for line in logged(tmp_path / name))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"largest_steps": 2}, {"accumulation": 2, "sampling": "sandwich", "in_place": True}],
    ids=["published", "accumulated"],
)
def test_a_resumed_training_ends_like_an_uninterrupted_one(tmp_path, monkeypatch, options):
    whole = train(tmp_path / "whole", **options)

    def interrupt(self, batch, logs=None):  # stands for Ctrl-C in the second epoch
        if int(self.model.batches_seen) == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "on_train_batch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "cut", **options)
    resumed = train(tmp_path / "cut", **options)
    for one, other in zip(weights_of(whole), weights_of(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert logged(tmp_path / "whole") == logged(tmp_path / "cut")


def test_training_traces_its_step_once(tmp_path, monkeypatch):
    traced = []
    step = SupernetTraining.train_step
    monkeypatch.setattr(
        SupernetTraining, "train_step", lambda self, data: (traced.append(1), step(self, data))[1]
    )
    train(tmp_path, steps=4 * EPOCH)  # 48 sub-networks, and batches of 16 and 8 clips
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, "samples does not fit; expected at least 1"),
        ({"sampling": "sandwich", "samples": 1}, "samples does not fit; expected at least 2"),
        ({"in_place": True}, "in_place does not fit; expected sandwich"),
        ({"divergence": AlphaDivergence()}, "divergence does not fit; expected in_place"),
        ({"steps": 0}, "steps does not fit; expected at least 1"),
        ({"largest_steps": 7}, "largest_steps does not fit; expected 0 to 6"),
        ({"targets": np.zeros((CLIPS, 4))}, "shape of the targets does not fit"),
        ({"targets": np.zeros((CLIPS, 2, 3)), "mixup": True}, "mixup does not fit"),
        ({"space": paper_space()}, "search space does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        train(tmp_path, **settings)
