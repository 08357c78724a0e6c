"""The elastic network: one trace, and in each sub-network exactly the ordinary one."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.edge import tflite
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.cnn10 import build_cnn10
from dcase_system.supernet.calibration import SubNetworks, kept_statistics
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.extract import extract, load_largest
from dcase_system.supernet.sampling import WidthSampler
from dcase_system.supernet.scoring import SubNetworkScorer
from dcase_system.supernet.search_space import paper_space
from tests.supernet.networks import BASE, features, small_supernet

SPACE = paper_space("X,X,X", "layer", BASE)


@pytest.fixture(scope="module")
def sub_networks():
    return SubNetworks(small_supernet())


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), frames=st.integers(16, 70), clips=st.integers(1, 5))
def test_what_is_cut_out_computes_what_the_supernet_does(sub_networks, seed, frames, clips):
    spec = SPACE.spec(SPACE.draw(np.random.default_rng(seed)))
    x = features(clips, frames, seed)
    network = extract(sub_networks.supernet, spec)
    np.testing.assert_allclose(network(x), sub_networks.logits(spec, [x]), atol=1e-5, rtol=0)


def test_one_trace_serves_two_hundred_sub_networks():
    sub_networks = SubNetworks(small_supernet())
    generator, x = np.random.default_rng(0), features()
    drawn = {SPACE.draw(generator) for _ in range(400)}
    outputs = {SPACE.spec(ratios): None for ratios in list(drawn)[:200]}
    for spec in outputs:
        outputs[spec] = sub_networks.logits(spec, [x]).tobytes()
    assert len(outputs) == 200
    assert len(set(outputs.values())) > 150  # some are alike: with so few channels, units are dead
    assert sub_networks.traces == 1


def test_a_sub_network_has_the_macs_of_its_own_width(monkeypatch):
    """No masks at full width: what the graph multiplies has the widths of the sub-network."""
    supernet, spec = small_supernet(), SPACE.spec(SPACE.smallest)
    seen, convolve = [], tf.nn.conv2d
    monkeypatch.setattr(
        tf.nn,
        "conv2d",
        lambda x, kernel, *args, **kwargs: (
            _seen(kernel, seen) or convolve(x, kernel, *args, **kwargs)
        ),
    )
    supernet(features(), tf.constant(supernet.widths_of(spec)))
    assert seen == [width for block in spec.blocks for width in block]


def _seen(kernel, widths):
    widths.append(int(kernel.shape[-1]))


def test_gradients_stay_within_the_sub_network():
    supernet = small_supernet()
    spec = replace(BASE, blocks=((4, 4), (3,), (4, 6), (5,)))
    widths = supernet.widths_of(spec)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(supernet(features(), widths, mode="training") ** 2)
    variables = supernet.trainable_variables
    zero = tf.UnconnectedGradients.ZERO
    gradients = tape.gradient(loss, [v.value for v in variables], unconnected_gradients=zero)
    found = {v.path: g.numpy() for v, g in zip(variables, gradients, strict=True)}
    kernel = found[supernet.parts["block3_conv1"].kernel.path]
    assert np.any(kernel[:, :, :3, :4])
    assert not np.any(kernel[:, :, 3:])
    assert not np.any(kernel[..., 4:])
    assert not np.any(found[supernet.parts["block2_conv2"].kernel.path])


def test_statistics_of_the_last_channels_do_not_move():
    supernet = small_supernet()
    before = supernet.parts["block4_bn1"].moving_mean.numpy()
    widths = supernet.widths_of(SPACE.spec(SPACE.smallest))
    supernet(features(), widths, mode="training")
    after = supernet.parts["block4_bn1"].moving_mean.numpy()
    assert np.all(after[:5] != before[:5])
    np.testing.assert_array_equal(after[5:], before[5:])


def test_recalibrated_statistics_are_the_means_of_batches_weighted_by_clips():
    """For the first layer they are the statistics of the mel bands, computed directly."""
    supernet = small_supernet()
    batches = [features(6, seed=1), features(2, seed=2)]
    SubNetworks(supernet).recalibrate(SPACE.spec(SPACE.smallest), batches)
    means = [batch.mean(axis=(0, 2, 3)) for batch in batches]
    variances = [batch.var(axis=(0, 2, 3), ddof=1) for batch in batches]
    np.testing.assert_allclose(
        supernet.parts["mel_bn"].moving_mean, (6 * means[0] + 2 * means[1]) / 8, atol=1e-5
    )
    np.testing.assert_allclose(
        supernet.parts["mel_bn"].moving_variance,
        (6 * variances[0] + 2 * variances[1]) / 8,
        atol=1e-5,
    )


def test_recalibration_makes_a_polluted_sub_network_compute_what_training_saw():
    """On one batch the recalibrated network gives what normalising with that batch gives."""
    supernet, x = small_supernet(), features(64)
    sub_networks, spec = SubNetworks(supernet), SPACE.spec(SPACE.smallest)
    widths = supernet.widths_of(spec)
    with kept_statistics(supernet):
        by_batch = supernet(x, widths, mode="calibrating").numpy()
    polluted = sub_networks.logits(spec, [x])
    sub_networks.recalibrate(spec, [x])
    calibrated = sub_networks.logits(spec, [x])
    assert np.abs(polluted - by_batch).max() > 0.05
    # the running variance is the unbiased one: a thousandth apart
    np.testing.assert_allclose(calibrated, by_batch, atol=5e-3)


def test_statistics_can_be_kept():
    supernet = small_supernet()
    before = [weight.numpy() for weight in supernet.weights]
    with kept_statistics(supernet):
        SubNetworks(supernet).recalibrate(BASE, [features()])
    for weight, value in zip(supernet.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_a_score_leaves_the_statistics_as_they_were():
    sub_networks, labels = SubNetworks(small_supernet()), np.eye(6, 3)
    before = [weight.numpy() for weight in sub_networks.supernet.weights]
    scorer = SubNetworkScorer(sub_networks, [features()], [features(seed=1)], labels)
    assert 0 < scorer(SPACE.spec(SPACE.smallest)) <= 1
    for weight, value in zip(sub_networks.supernet.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_an_ordinary_network_becomes_the_supernets_largest():
    network, supernet, x = build_cnn10(BASE), small_supernet(1), features()
    load_largest(supernet, network)
    np.testing.assert_allclose(
        SubNetworks(supernet).logits(BASE, [x]), network(x), atol=1e-5, rtol=0
    )
    with pytest.raises(InputError, match="network is not the supernet's largest"):
        load_largest(supernet, build_cnn10(SPACE.spec(SPACE.smallest)))


def test_what_is_cut_out_becomes_a_tflite_file(sub_networks, tmp_path):
    spec, x = SPACE.spec(SPACE.smallest), features()
    network = registry.at_fixed_length(extract(sub_networks.supernet, spec), spec)
    tflite.export(network, tmp_path, x, formats=("float32",))
    logits = TFLiteModel(tmp_path / tflite.file_name("float32"))(x)
    np.testing.assert_allclose(logits, sub_networks.logits(spec, [x]), atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": ((4, 4), (6, 6), (10, 10), (13, 14))},
        {"blocks": ((4, 4), (6, 6), (10, 10), (13, 13, 13))},
        {"blocks": ((4, 4), (6, 6), (10, 10))},
        {"embedding": 9},
        {"classes": 4},
        {"input_shape": (32, 33)},
    ],
)
def test_what_is_no_sub_network_is_refused(change):
    with pytest.raises(InputError, match="not a sub-network of this supernet"):
        ElasticNetwork(BASE).widths_of(replace(BASE, **change))


@pytest.mark.parametrize("pattern", ["2,2,X", "X,X,X", "none"])
@pytest.mark.parametrize("per", ["block", "layer"])
def test_draws_in_the_graph_are_those_of_the_space(pattern, per):
    space, supernet = paper_space(pattern, per, BASE), ElasticNetwork(BASE)
    everything = {supernet.widths_of(space.spec(ratios)).tobytes() for ratios in space.all()}
    sampler = WidthSampler(space.choices, seed=0)
    draw = tf.function(sampler.draw)
    drawn = np.stack([draw().numpy() for _ in range(600)])
    assert {widths.tobytes() for widths in drawn} <= everything
    names = list(supernet.groups)
    both = np.mean(drawn[:, names.index("block4_conv2")] > 0)
    assert both == pytest.approx(1.0 if pattern == "none" else 0.5, abs=0.08)
    assert np.mean(drawn[:, names.index("block2_conv1")] == 6) == pytest.approx(
        1 / len(space.ratios), abs=0.08
    )
    np.testing.assert_array_equal(sampler.largest, supernet.widths_of(space.spec(space.largest)))
    np.testing.assert_array_equal(sampler.smallest, supernet.widths_of(space.spec(space.smallest)))


def test_a_sandwich_begins_with_the_largest_and_the_smallest():
    sampler = WidthSampler(SPACE.choices, seed=0)
    step = [sampler.of_step(tf.constant(index), "sandwich").numpy() for index in range(3)]
    np.testing.assert_array_equal(step[0], sampler.largest)
    np.testing.assert_array_equal(step[1], sampler.smallest)
