"""Networks from a table: the published baseline's costs, and files that Keras alone opens."""

import keras
import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.edge.folding import folded
from dcase_system.models import registry
from dcase_system.models.table_cnn import Row, TableCNNSpec


def test_the_baseline_costs_what_is_published():
    counted = count(registry.build(registry.named_spec("biodcase_baseline")))
    assert counted.macs == 23_326_923
    assert counted.params == 97_163  # three convolutions and two dense layers, by hand


def test_a_folded_network_computes_the_same_with_stock_layers_alone():
    spec = TableCNNSpec(
        (Row("conv", 3, 4, 2), Row("separable", 5, 6), Row("max_pool", 2)), hidden=3
    )
    network = registry.build(registry.for_clips(spec, 5, 20))
    generator = np.random.default_rng(0)
    network.set_weights([generator.uniform(0.5, 1.5, w.shape) for w in network.get_weights()])
    features = generator.uniform(size=(2, 40, 20, 1)).astype(np.float32)
    small = folded(network)
    np.testing.assert_allclose(small(features), network(features), rtol=1e-4)
    assert not any(isinstance(one, keras.layers.BatchNormalization) for one in small.layers)
    assert {type(layer).__module__.partition(".")[0] for layer in small.layers} == {"keras"}


@pytest.mark.parametrize("row", [Row("dense", 3, 4), Row("max_pool", 2, 4), Row("conv", 3)])
def test_rows_that_do_not_fit_are_rejected(row):
    with pytest.raises(InputError, match="table of a network: row does not fit"):
        TableCNNSpec((row,))


def test_an_input_too_small_for_the_rows_is_rejected():
    spec = registry.for_clips(registry.named_spec("biodcase_baseline"), 3, 12)
    with pytest.raises(InputError, match="row 4 of the table of a network: map vanishes"):
        registry.build(spec)
