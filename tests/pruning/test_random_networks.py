"""Random networks, random choices: hidden is removed, and the counts are the counter's."""

import keras
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcase_system.complexity.counter import count
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.costs import Costs
from dcase_system.pruning.graph import channel_groups, read_graph
from dcase_system.pruning.importance import l2_importance
from tests.pruning.networks import assert_masked_is_slim, conv, random_kept, randomise

L = keras.layers
STEPS = ("conv", "residual", "concat", "depthwise", "separable", "gate", "norm", "pool", "fixed")

steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 6)), min_size=1, max_size=6)
heads = st.sampled_from(["flatten", "average", "convolution", "reshape"])


def build(chain: list[tuple[str, int]], head: str) -> keras.Model:
    inputs = keras.Input((6, 5, 2))
    x = conv(inputs, 4, "entry", 3)
    for index, (step, width) in enumerate(chain):
        x = _step(x, inputs, step, width, f"step{index}")
    if head == "flatten":
        x = L.Flatten()(x)
    elif head == "reshape":
        x = L.Reshape((-1,))(x)
    elif head == "convolution":
        return keras.Model(inputs, L.GlobalAveragePooling2D()(conv(x, 3, "classes")))
    else:
        x = L.Dense(5, "tanh", name="hidden")(L.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, L.Dense(3, name="classes")(x))


def _step(x, inputs, step: str, width: int, name: str):
    channels = x.shape[-1]
    if step == "conv":
        return conv(x, width, name, 3, activation="relu")
    if step == "residual":
        return L.Add()(
            [x, conv(conv(x, width, f"{name}_a", activation="relu"), channels, f"{name}_b")]
        )
    if step == "concat":
        return L.Concatenate()([x, conv(x, width, f"{name}_a"), x][: 2 + width % 2])
    if step == "depthwise":
        return L.DepthwiseConv2D(3, padding="same", depth_multiplier=1 + width % 2, name=name)(x)
    if step == "separable":
        return L.SeparableConv2D(width, 3, padding="same", name=name)(x)
    if step == "gate":
        gate = L.GlobalAveragePooling2D(keepdims=True)(x)
        gate = conv(conv(gate, width, f"{name}_a", activation="relu"), channels, f"{name}_b")
        return L.Multiply()([x, L.Activation("sigmoid")(gate)])
    if step == "norm":
        return L.LeakyReLU()(L.BatchNormalization()(x))
    if step == "pool":
        return L.Maximum()([L.MaxPooling2D(3, 1, "same")(x), L.AveragePooling2D(3, 1, "same")(x)])
    return L.Concatenate()([x, inputs])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps, heads, st.integers(0, 99), st.one_of(st.none(), st.floats(0, 0.95)))
def test_hidden_is_removed(chain, head, seed, ratio):
    model = randomise(build(chain, head), seed)
    groups = channel_groups(model)
    if ratio is None:
        kept = random_kept(groups, np.random.default_rng(seed))
    else:
        kept = uniform_kept(l2_importance(model), ratio)
    small = assert_masked_is_slim(model, kept, 1e-4, lively=False)
    assert all(len(kept[group.name]) >= 1 for group in groups)
    assert [group.size for group in channel_groups(small)] == [
        len(kept[group.name]) for group in groups
    ]
    graph, counted = read_graph(model), count(small)
    widths = np.array([len(kept[group.name]) for group in graph.groups], dtype=int)
    assert Costs(graph)(widths) == (counted.params, counted.macs)
