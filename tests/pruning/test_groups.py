"""Which channels a network's graph ties together, and which it holds fast."""

import keras
import pytest

from dcase_system.models import registry
from dcase_system.models.graph.read import channel_groups, read_graph
from tests.pruning import own
from tests.pruning.networks import conv, dense_net

L = keras.layers


def summary(model: keras.Model) -> dict:
    return {
        group.name: (
            group.size,
            [member.layer for member in group.producers],
            [member.layer for member in group.depthwise],
        )
        for group in channel_groups(model)
    }


def cp_mobile_groups(widths, paths: int) -> dict:
    """What has to be tied in CP-Mobile (one path) and SSCP-Mobile (two)."""
    inner, stage1, first, stage2, last, stage3 = widths
    stage1_members = [f"stem{path}_b_conv" for path in range(1, paths + 1)]
    stage1_members += [f"block{block}_project_conv" for block in (1, 2, 3)]
    expanded = {
        f"block{block}_expand_conv": (
            first if block < 5 else last,
            [f"block{block}_expand_conv"],
            [f"block{block}_depthwise{path}_conv" for path in range(1, paths + 1)],
        )
        for block in range(1, 7)
    }
    return {
        **{
            f"stem{path}_a_conv": (inner, [f"stem{path}_a_conv"], [])
            for path in range(1, paths + 1)
        },
        "stem1_b_conv": (stage1, stage1_members, []),
        **expanded,
        "block4_project_conv": (stage2, ["block4_project_conv", "block5_project_conv"], []),
        "block6_project_conv": (stage3, ["block6_project_conv"], []),
    }


@pytest.mark.parametrize(
    ("name", "widths", "paths"),
    [
        ("sscp_mobile_64", (16, 64, 144, 112, 248, 208), 2),
        ("cp_mobile", (8, 32, 64, 56, 120, 104), 1),
    ],
)
def test_groups_of_our_mobile_networks(name, widths, paths):
    graph = read_graph(registry.build(registry.named_spec(name)))
    assert summary(graph.model) == cp_mobile_groups(widths, paths)
    assert graph.protected == {"head_conv": "reaches an output of the network"}


def test_response_normalisation_over_channels_leaves_only_what_is_inside_the_blocks():
    graph = read_graph(registry.build(registry.named_spec("cp_mobile_2023")))
    assert [group.name for group in graph.groups] == [
        "stem1_a_conv",
        *(f"block{block}_expand_conv" for block in range(1, 7)),
    ]
    reason = "read by block1_response_norm (GlobalResponseNormalization)"
    assert graph.protected["stem1_b_conv"] == reason


def test_groups_of_cnn10_start_behind_the_norm_over_mels():
    sizes = {name: size for name, (size, _, _) in summary(registry.build(_cnn10())).items()}
    assert sizes == {
        **{f"block{b}_conv{i}": 32 * 2**b for b in (1, 2, 3, 4) for i in (1, 2)},
        "embedding": 512,
    }


def _cnn10():
    return registry.named_spec("cnn10")


def test_concatenated_channels_are_groups_of_their_own():
    assert {name: size for name, (size, _, _) in summary(dense_net()).items()} == {
        "stem": 6,
        "bottleneck1": 8,
        "growth1": 4,
        "bottleneck2": 8,
        "growth2": 4,
        "transition": 10,
        "squeeze": 3,
    }
    assert summary(dense_net())["transition"][1] == ["transition", "excite"]


def test_a_layer_added_to_a_concatenation_is_cut_into_slices():
    inputs = keras.Input((4, 4, 3))
    whole = L.ReLU()(L.ReLU()(conv(inputs, 6, "whole")))
    parts = L.Concatenate()([conv(inputs, 2, "left"), conv(inputs, 4, "right")])
    outputs = conv(L.Add()([whole, parts]), 2, "head")
    groups = {group.name: group for group in channel_groups(keras.Model(inputs, outputs))}
    assert groups.keys() == {"whole[0:2]", "whole[2:6]"}
    assert [(m.layer, m.channels) for m in groups["whole[2:6]"].producers] == [
        ("whole", (2, 3, 4, 5)),
        ("right", (0, 1, 2, 3)),
    ]


def test_a_layer_called_twice_ties_what_it_reads_and_what_it_makes():
    inputs = keras.Input((4, 4, 3))
    shared = L.Conv2D(5, 1, name="shared")
    left, right = shared(conv(inputs, 4, "left")), shared(conv(inputs, 4, "right"))
    model = keras.Model(inputs, conv(L.Concatenate()([left, right]), 2, "head"))
    assert {name: made for name, (_, made, _) in summary(model).items()} == {
        "left": ["left", "right"],
        "shared": ["shared"],
    }


def test_a_layer_called_on_pruned_and_fixed_channels_stays():
    inputs = keras.Input((4, 4, 3))
    shared = L.Conv2D(5, 1, name="shared")
    x = L.Add()([shared(inputs), shared(conv(inputs, 3, "before"))])
    graph = read_graph(keras.Model(inputs, conv(x, 2, "head")))
    assert [group.name for group in graph.groups] == ["shared"]
    assert graph.protected["before"] == "layer shared has several uses"


@pytest.mark.parametrize(
    ("mixing", "reason"),
    [
        (lambda: L.LayerNormalization(name="it"), "read by it (LayerNormalization)"),
        (lambda: L.GroupNormalization(2, name="it"), "read by it (GroupNormalization)"),
        (lambda: L.Softmax(name="it"), "read by it (Softmax)"),
        (lambda: L.Activation("softmax", name="it"), "read by it (Activation)"),
        (lambda: L.Activation(lambda x: x[..., ::-1], name="it"), "read by it (Activation)"),
        (lambda: L.BatchNormalization(axis=1, name="it"), "read by it (BatchNormalization)"),
        (lambda: L.Lambda(lambda x: x, name="it"), "read by it (Lambda)"),
        (lambda: L.Reshape((4, 4, 3, 2), name="it"), "read by it (Reshape)"),
        (lambda: L.Conv2D(6, 1, groups=2, name="it"), "read by the grouped convolution it"),
        (lambda: own.Dense(6, name="it"), "read by it (Dense)"),
        (lambda: own.Standardised(6, 1, name="it"), "read by it (Standardised)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_channels_that_are_mixed_or_not_understood_are_protected(mixing, reason):
    inputs = keras.Input((4, 4, 3))
    x = mixing()(conv(conv(inputs, 4, "free"), 6, "held"))
    graph = read_graph(keras.Model(inputs, L.Dense(2, name="head")(L.Flatten()(x))))
    assert [group.name for group in graph.groups] == ["free"]
    assert graph.protected["held"] == reason


def test_a_subclass_that_computes_the_same_is_understood():
    inputs = keras.Input((4, 4, 3))
    x = _Named(4, 1)(conv(inputs, 4, "before"))
    assert list(summary(keras.Model(inputs, L.Dense(2)(x)))) == ["before", "own"]


class _Named(L.Conv2D):
    def __init__(self, *args, **options):
        super().__init__(*args, **{"name": "own", **options})


def test_softmax_over_space_does_not_mix_channels():
    inputs = keras.Input((4, 4, 3))
    x = L.Softmax(axis=(1, 2))(conv(inputs, 4, "attention"))
    assert "attention" in summary(keras.Model(inputs, conv(x, 2, "head")))


def test_a_map_that_gates_all_channels_stays():
    inputs = keras.Input((4, 4, 3))
    gated = L.Multiply(name="gate")([conv(inputs, 4, "x"), conv(inputs, 1, "map")])
    graph = read_graph(keras.Model(inputs, conv(gated, 2, "head")))
    assert [group.name for group in graph.groups] == ["x"]
    assert graph.protected["map"] == "gate applies it to all channels"


def test_every_output_protects_its_channels():
    inputs = keras.Input((4, 4, 3))
    features = conv(inputs, 4, "features")
    model = keras.Model(inputs, [features, conv(features, 2, "head")])
    assert channel_groups(model) == ()


def test_multiplied_depthwise_channels_go_with_their_source():
    inputs = keras.Input((4, 4, 3))
    x = L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(conv(inputs, 4, "x"))
    model = keras.Model(inputs, conv(L.Add()([x, conv(inputs[:, 1:3, 1:3], 8, "y")]), 2, "head"))
    (group,) = channel_groups(model)
    assert group.size == 4
    assert [(m.layer, m.channels) for m in group.producers] == [
        ("x", (0, 1, 2, 3)),
        ("y", (0, 2, 4, 6)),
        ("y", (1, 3, 5, 7)),
    ]


def test_a_sequential_network_is_read_like_a_functional_one():
    model = keras.Sequential([keras.Input((4, 4, 3)), L.Conv2D(4, 1, name="x"), L.Flatten()])
    model.add(L.Dense(2))
    assert list(summary(model)) == ["x"]
