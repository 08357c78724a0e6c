"""Random networks, random choices: hidden is removed, and the counts are the counter's.

What a network holds of a user's own, and layers that are not understood, lead to the same outputs
or to a refusal of one line, before any training.
"""

import re

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models.graph.read import channel_groups, read_graph
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.costs import Costs
from dcase_system.pruning.importance import l1_importance, l2_importance
from dcase_system.pruning.masks import kept_by_masks, masked_model, set_masks
from dcase_system.pruning.slim import slim
from tests.pruning.generated import HEADS, STEPS, build
from tests.pruning.networks import assert_masked_is_slim, calibrate, random_kept, randomise

# Steps whose layers the counter counts.
COUNTED = ("conv", "residual", "concat", "fixed", "gate", "norm", "pool", "depthwise", "separable")
SINGLE = [head for head in HEADS if head != "several"]
# Steps that no copy can be made of, or whose channels cannot be followed.
REFUSED = {
    *("own that forgets", "own that renames", "own without config", "own that shares"),
    *("own cell", "own distributed", "nested own", "nested kernel", "channels first"),
}


def chains(steps, most: int):
    return st.lists(st.tuples(st.sampled_from(steps), st.integers(1, most)), min_size=1, max_size=6)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    chains(COUNTED, 6),
    st.sampled_from(SINGLE),
    st.integers(0, 99),
    st.one_of(st.none(), st.floats(0, 0.95)),
)
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


def outputs(model: keras.Model, x) -> list[np.ndarray]:
    return [np.asarray(output) for output in keras.tree.flatten(model(x))]


def is_pruned(chain, head: str, seed: int) -> bool:
    """Prunes 30 % of a network and compares, or sees that it is refused; whether it was pruned."""
    model, generator = randomise(build(chain, head), seed), np.random.default_rng(seed)
    try:
        masked = masked_model(model)
    except InputError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("layer ")
        for use in (channel_groups, lambda network: slim(network, {})):
            with pytest.raises(InputError, match=re.escape(str(error))):
                use(model)
        return False
    x = keras.tree.map_structure(
        lambda tensor: generator.normal(0, 1.5, (6, *tensor.shape[1:])).astype(np.float32),
        model.input,
    )
    for one, other in zip(outputs(masked, x), outputs(model, x), strict=True):
        np.testing.assert_array_equal(one, other)
    set_masks(masked, uniform_kept(l1_importance(model), 0.3))
    calibrate(masked, x)
    before = outputs(model, x)
    small = slim(masked, kept_by_masks(masked))
    for removed, hidden in zip(outputs(small, x), outputs(masked, x), strict=True):
        np.testing.assert_allclose(removed, hidden, rtol=0, atol=1e-4 * np.abs(hidden).max() + 1e-6)
    assert len(small.losses) == len(model.losses)
    for weight in small.weights:
        weight.assign(weight + 1)
    for one, other in zip(outputs(model, x), before, strict=True):
        np.testing.assert_array_equal(one, other)
    return True


def test_each_step_alone_is_pruned_or_refused():
    heads = list(HEADS)
    found = {
        step: is_pruned([(step, 4 + index % 9)], heads[index % len(heads)], index)
        for index, step in enumerate(STEPS)
    }
    assert {step for step, pruned in found.items() if not pruned} == REFUSED


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(chains(list(STEPS), 12), st.sampled_from(list(HEADS)), st.integers(0, 99))
def test_random_networks_with_anything_in_them_are_pruned_or_refused(chain, head, seed):
    is_pruned(chain, head, seed)
