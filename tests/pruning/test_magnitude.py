"""TF-MOT's magnitude pruning of networks in tf_keras."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.complexity.sparsity import sparsity_report
from dcase_system.models import cp_mobile, registry
from dcase_system.pruning import magnitude, schedules
from dcase_system.pruning.rounds import step_ratios
from tests.pruning.networks import conv, norm_relu

STEPS, BATCH = 6, 8


def small() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = norm_relu(conv(inputs, 8, "stem"))
    x = norm_relu(conv(x, 12, "middle"))
    outputs = keras.layers.Dense(4, name="head")(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)


def batches():
    generator = np.random.default_rng(0)
    while True:
        x = generator.normal(size=(BATCH, 8, 8, 3)).astype(np.float32)
        yield tf.constant(x), tf.one_hot(generator.integers(0, 4, BATCH), 4)


def prune(network, sparsity=0.75, **settings):
    magnitude.prune_magnitude(
        network,
        batches(),
        settings.pop("schedule", schedules.one_shot(sparsity, interval=1)),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        epochs=2,
        steps_per_epoch=STEPS,
        learning_rate=0.01,
        **settings,
    )


def test_weights_become_zero_and_come_back_with_the_network():
    network = small()
    before = {x.path: np.asarray(x) for x in network.weights}
    prune(network, warmup=3)
    report = sparsity_report(network, {})
    assert report["layers"] == {"stem": 0.75, "middle": 0.75, "head": 0.75}
    assert report["sparsity"] == 0.75
    changed = [not np.array_equal(before[x.path], x) for x in network.weights]
    assert all(changed)  # trained, moving statistics included


def test_tuning_holds_the_zeros_that_are_there():
    network = small()
    prune(network)
    zeros = [np.asarray(x) == 0 for x in network.trainable_weights if x.name == "kernel"]
    kept = [np.asarray(x) for x in network.trainable_weights if x.name == "kernel"]
    prune(network, schedule=step_ratios("held", 0.75, updates=20, steps=2 * STEPS))
    tuned = [np.asarray(x) for x in network.trainable_weights if x.name == "kernel"]
    for were, before, after in zip(zeros, kept, tuned, strict=True):
        np.testing.assert_array_equal(after == 0, were)
        assert not np.array_equal(before, after)


def test_a_schedule_ends_at_its_sparsity():
    network = small()
    seen = []

    def on_epoch(epoch, loss):
        seen.append((epoch, sparsity_report(network, {})["sparsity"]))
        assert np.isfinite(loss)

    schedule = schedules.agp(0.5, updates=2, interval=4)
    prune(network, schedule=schedule, on_epoch=on_epoch)
    assert [epoch for epoch, _ in seen] == [1, 2]
    assert seen[0][1] == pytest.approx(0.4375, abs=0.01)  # 0.5 (1 - (1 - 1/2)^3)
    assert seen[1][1] == pytest.approx(0.5, abs=0.01)


def test_two_of_four_neighbours_are_zero():
    network = small()
    prune(network, 0.5, two_of_four=True)
    for name in ("middle", "head"):
        kernel = np.asarray(network.get_layer(name).kernel)
        # Neighbours along the channels that a filter sums, as sparse hardware wants them.
        columns = np.moveaxis(kernel, -2, -1).reshape(-1, 4)
        assert ((columns == 0).sum(axis=1) >= 2).all()
    assert sparsity_report(network, {})["layers"]["middle"] == pytest.approx(0.5, abs=0.01)


def test_zeros_zip_and_the_rules_count_them(tmp_path):
    network = registry.build_fixed(cp_mobile.sscp_mobile(16))
    whole = sparsity_report(network, {})
    for layer in network.layers:
        if type(layer) is keras.layers.Conv2D:
            kernel = np.asarray(layer.kernel).copy()
            kernel.ravel()[::2] = 0
            layer.kernel.assign(kernel)
    (tmp_path / "file").write_bytes(bytes(1_000))
    half = sparsity_report(network, {"file": tmp_path / "file"})
    assert half["sparsity"] == pytest.approx(0.5, abs=0.01)
    assert half["float16_bytes"] == whole["float16_bytes"] == 2 * 19_548
    assert half["nonzero_float16_bytes"] < 0.65 * whole["nonzero_float16_bytes"] + 2_000
    assert half["zipped_float16_bytes"] < 0.8 * whole["zipped_float16_bytes"]
    assert half["files"]["file"]["bytes"] == 1_000
    assert half["files"]["file"]["zipped_bytes"] < 100


def test_batches_are_taken_as_they_come():
    """No batch is drawn twice and none skipped beyond what Keras looks ahead."""
    drawn = itertools.count()
    network = small()

    def counted():
        for batch in batches():
            next(drawn)
            yield batch

    magnitude.prune_magnitude(
        network,
        counted(),
        schedules.one_shot(0.5, interval=1),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        epochs=1,
        steps_per_epoch=STEPS,
        learning_rate=0.01,
    )
    assert STEPS <= next(drawn) <= STEPS + 12
