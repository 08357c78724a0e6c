"""The networks of Wu & Lee's search: published parameter counts, maps, pruning and export."""

import json

import keras
import numpy as np
import pytest

from dcase_system.complexity.counter import count
from dcase_system.complexity.rules import judge
from dcase_system.core.errors import InputError
from dcase_system.edge import tflite
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.scene_cnn import has_maps, layer_names, map_sizes, scene_spec
from dcase_system.models.widths import spec_of_network
from dcase_system.papers.scene_search import TABLE_3
from dcase_system.pruning.choose import uniform_kept
from dcase_system.pruning.importance import l1_importance
from tests.pruning.networks import assert_masked_is_slim, randomise

MIB = 2**20
# Every module, an odd width, a shortcut that stays and one that never was.
SMALL = scene_spec(10, [(4, 1, "avg"), (2, 3, "max")], 1.5, "code", classes=4, input_shape=(24, 20))
SAME_WIDTH = scene_spec(8, [(3, 4, "max"), (0, 2, "avg")], 1.0, "paper", input_shape=(16, 16))


@pytest.mark.parametrize(
    ("name", "params", "mebibytes", "macs"),
    [
        ("scene_a", 111_306, 0.42, 260_819_635),
        ("scene_a_table3", 107_658, 0.41, 1_026_735_627),
        ("scene_b", 76_611, 0.29, 120_796_995),
        ("scene_b_table3", 76_611, 0.29, 487_525_443),
    ],
)
def test_published_models(name, params, mebibytes, macs):
    network = registry.build(registry.named_spec(name))
    counted = count(network)
    assert (counted.params, counted.macs) == (params, macs)
    assert round(counted.bytes("float32") / MIB, 2) == mebibytes
    verdict = judge(network, "float16")[0]
    assert verdict.edition == "2020 Task 1B"
    assert verdict.complies


def test_maps_shrink_as_in_the_authors_files():
    def heights(name):
        spec = registry.named_spec(name)
        return [size[0] for sizes in map_sizes(spec) for size in sizes]

    assert heights("scene_a") == [64, 64, 64, 32, 30, 28, 14]
    assert heights("scene_b") == [64, 64, 32, 32, 16, 14, 14, 7, 7, 7, 3]
    assert heights("scene_a_table3") == [128, 128, 128, 64, 64, 64, 32]


@pytest.mark.parametrize(
    ("model", "mebibytes"), [("scene_a", (0.42, 0.21)), ("scene_b", (0.29, 0.15))]
)
def test_sizes_are_those_of_table_4(model, mebibytes):
    """Table 4: "Model A (float-32) 0.42 ... Model B (float-16) 0.15" (MB)."""
    counted = count(registry.build(registry.named_spec(model)))
    printed = [round(counted.bytes(precision) / MIB, 2) for precision in ("float32", "float16")]
    assert printed == list(mebibytes)


@pytest.mark.parametrize("model", ["A", "B"])
def test_layers_are_those_of_table_3(model):
    """Table 3: "For each layer, the number inside ( ) is the number of output filters"."""
    spec = registry.named_spec(f"scene_{model.lower()}_table3")
    column = TABLE_3.columns.index(f"Model {model}")
    printed = [row[column] for row in TABLE_3.rows if row[column] is not None]
    assert list(layer_names(spec)) == printed
    assert (spec.stem_stride, spec.stem_activation, spec.shrinking) == (1, "swish", False)


def test_as_trained_model_a_differs_from_table_3_in_its_first_module_alone():
    """The authors' own file has a 5x5 inverted residual where Table 3 prints "3 × 3 IRwLB (76)"."""
    trained, printed = (layer_names(registry.named_spec(f"scene_a{s}")) for s in ("", "_table3"))
    differing = [pair for pair in zip(trained, printed, strict=True) if len(set(pair)) == 2]
    assert differing == [("5 × 5 IRwLB (76)", "3 × 3 IRwLB (76)")]
    assert layer_names(registry.named_spec("scene_b")) == layer_names(
        registry.named_spec("scene_b_table3")
    )


def test_the_activation_is_swish_and_the_expansion_three():
    """Section 2: "For simplicity we set β = 1"; "an expansion ratio of 3"; "The stride of
    convolution layers is 1"."""
    network = registry.build(registry.named_spec("scene_b_table3"))
    x = np.linspace(-6, 6, 25, dtype=np.float32)
    swishes = [layer for layer in network.layers if isinstance(layer, keras.layers.Activation)]
    # Stem, two inverted residuals with two each, four separable ones with two each.
    assert len(swishes) == 1 + 2 * 2 + 4 * 2
    np.testing.assert_allclose(swishes[0](x), x / (1 + np.exp(-x)), rtol=1e-5)
    assert network.get_layer("block1_module1_expand_conv").filters == 3 * 64
    assert {layer.strides for layer in network.layers if "conv" in layer.name} == {(1, 1)}


def test_widths_are_cut_off_not_rounded():
    spec = registry.named_spec("scene_a")
    assert [[module.channels for module in block.modules] for block in spec.blocks] == [
        [76, 133],
        [133, 232],
    ]
    assert spec.blocks[0].modules[0].expanded == 3 * 76


def test_an_inverted_residual_adds_its_input_where_the_width_stays():
    shortcuts = [[module.shortcut for module in block.modules] for block in SMALL.blocks]
    assert shortcuts == [[True, False], [False, False]]
    assert all(m.shortcut for m in SAME_WIDTH.blocks[0].modules)


def test_a_network_whose_map_vanishes_is_refused():
    shrinking = scene_spec(4, [(2, 2, "avg")] * 4, 1.0, "code")
    assert not has_maps(shrinking)
    assert has_maps(scene_spec(4, [(2, 2, "avg")] * 4, 1.0, "paper"))
    with pytest.raises(InputError, match="at which no map vanishes"):
        registry.build(shrinking)


@pytest.mark.parametrize("spec", [SMALL, SAME_WIDTH, registry.named_spec("scene_b")])
def test_spec_survives_json(spec):
    assert registry.spec_from_json(json.loads(json.dumps(registry.spec_to_json(spec)))) == spec


def test_a_pool_that_is_none_is_refused():
    values = registry.spec_to_json(SMALL)
    values["blocks"][0]["pool"] = "sum"
    with pytest.raises(InputError, match="pool does not fit"):
        registry.spec_from_json(values)


@pytest.mark.parametrize("ratio", [0.3, 0.5])
@pytest.mark.parametrize("spec", [SMALL, SAME_WIDTH], ids=["code", "paper"])
def test_hidden_is_removed_and_the_spec_builds_the_same_network(spec, ratio):
    network = randomise(registry.build(spec))
    kept = uniform_kept(l1_importance(network), ratio)
    small = assert_masked_is_slim(network, kept, 1e-4)
    pruned = spec_of_network(spec, small)
    assert pruned.stem_channels < spec.stem_channels
    assert count(registry.build(pruned)).params == count(small).params < count(network).params


def test_tflite_files_agree_with_keras(tmp_path):
    network = randomise(registry.build(SMALL))
    features = np.random.default_rng(0).normal(size=(6, 24, 20, 2)).astype(np.float32)
    tflite.export(network, tmp_path, features, formats=("float32", "float16"))
    expected = np.asarray(network(features))
    for name, tolerance in (("float32", 1e-4), ("float16", 2e-2)):
        logits = TFLiteModel(tmp_path / tflite.file_name(name))(features)
        np.testing.assert_allclose(logits, expected, atol=tolerance * np.abs(expected).max())
