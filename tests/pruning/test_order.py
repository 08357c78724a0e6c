"""Channels sorted by importance: the same outputs, the most important channels first."""

import numpy as np

from dcase_system.models import registry
from dcase_system.pruning.importance import l2_importance
from dcase_system.pruning.order import order_channels
from dcase_system.pruning.slim import slim
from tests.pruning.networks import random_inputs, randomise
from tests.toys import toy_student


def test_a_sorted_network_computes_the_same_and_its_first_channels_are_the_important_ones():
    network = registry.build(toy_student())
    randomise(network)
    x = random_inputs(network)
    before, scores = network(x).numpy(), l2_importance(network)
    few = slim(network, {name: np.sort(np.argsort(-of)[:3]) for name, of in scores.items()})
    order_channels(network, scores)
    np.testing.assert_allclose(network(x), before, atol=1e-5)
    for name, of_group in l2_importance(network).items():
        np.testing.assert_allclose(of_group, np.sort(scores[name])[::-1], rtol=1e-6)
    first = slim(network, {name: np.arange(3) for name in scores})
    np.testing.assert_allclose(first(x), few(x), atol=1e-5)
