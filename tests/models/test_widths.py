"""Specs read from networks, and networks that are not of their spec."""

from dataclasses import replace

import keras
import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import cp_mobile, sscp_mobile
from dcase_system.models.widths import spec_of_network
from tests.pruning import own

SMALL = replace(sscp_mobile(8), input_shape=(32, 33))
CNN10 = CNN10Spec(blocks=((4, 6), (8,), (6, 5), (7, 7)), embedding=9, classes=3)


def resized(spec, **changes):
    blocks = list(spec.blocks)
    for index, fields in changes.pop("blocks", {}).items():
        blocks[index] = replace(blocks[index], **fields)
    return replace(spec, blocks=tuple(blocks), **changes)


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (SMALL, replace(SMALL, stem_inner=(1, 3), classes=4)),
        (SMALL, resized(SMALL, blocks={3: {"expanded": 5}, 5: {"expanded": 6, "channels": 7}})),
        (CNN10, replace(CNN10, blocks=((1, 2), (3,), (4, 5), (6, 7)), embedding=2)),
    ],
)
def test_widths_are_read_from_the_network(spec, found):
    assert spec_of_network(spec, registry.build(found)) == found


def test_cnn10_at_a_fixed_length_is_its_own_spec():
    assert spec_of_network(CNN10, registry.build_fixed(CNN10)) == CNN10


@pytest.mark.parametrize(
    ("spec", "network", "message"),
    [
        (SMALL, replace(SMALL, input_shape=(32, 41)), r"layer log_mel: .* \(32, 33, 1\)"),
        (
            SMALL,
            resized(SMALL, blocks={1: {"strides": (2, 1)}}),
            r"layer block2_depthwise1_conv: .* strides \(1, 1\); received \(2, 1\)",
        ),
        (
            SMALL,
            resized(SMALL, blocks={i: {"channels": 5, "shortcut": False} for i in range(6)}),
            "layer block1_project_conv: .* 8 channels, its block adds its input; received 5",
        ),
        (SMALL, replace(cp_mobile(), input_shape=(32, 33)), "layer stem2_a_conv: "),
        (CNN10, replace(CNN10, blocks=((4, 6), (8, 8), (6, 5), (7, 7))), "layer block2_conv2: "),
        (CNN10, replace(CNN10, blocks=((4, 6), (8,), (6,), (7, 7))), "layer block3_conv2: "),
        (
            CNN10,
            replace(CNN10, block_dropout=0.3),
            "layer block1_dropout: .* expected rate 0.2; received 0.3",
        ),
        (CNN10, replace(CNN10, input_shape=(32, 33)), r"layer log_mel: .* \(64, None, 1\)"),
    ],
)
def test_a_network_of_another_architecture_is_refused_with_the_layers_name(spec, network, message):
    with pytest.raises(InputError, match=message) as caught:
        spec_of_network(spec, registry.build(network))
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_are_refused():
    network = registry.build(CNN10)
    inputs = keras.Input((64, None, 1), name="log_mel")
    biased = keras.models.clone_model(network, inputs, clone_function=_with_bias)
    with pytest.raises(InputError, match=r"layer block1_conv1: .* expected use_bias False"):
        spec_of_network(CNN10, biased)


def _with_bias(layer):
    return type(layer).from_config(
        {**layer.get_config(), **({"use_bias": True} if hasattr(layer, "filters") else {})}
    )


def _with_own(change):
    """CNN10 with a layer or an activation of a user's that is called like Keras's."""
    network = registry.build(CNN10)
    inputs = keras.Input((64, None, 1), name="log_mel")
    return keras.models.clone_model(network, inputs, clone_function=change)


def _own_relu(layer):
    copy = type(layer).from_config(layer.get_config())
    if layer.name == "embedding":
        copy.activation = own.relu
    return copy


def _own_dense(layer):
    kind = own.Dense if layer.name == "embedding" else type(layer)
    return kind.from_config(layer.get_config())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_own_relu, r"layer embedding: .* expected activation keras\S*\.relu; received tests\S*"),
        (
            _own_dense,
            r"layer embedding: .* kind keras\S*\.Dense; received tests\S*\.Dense",
        ),
    ],
)
def test_what_only_has_a_name_in_common_with_the_architecture_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        spec_of_network(CNN10, _with_own(change))
