"""The rank's formula, and the costs of a file on the board."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dcase_system.biodcase.board import board_report
from dcase_system.biodcase.rank import rank_terms
from dcase_system.biodcase.submitted import profiled_macs, roc_auc
from dcase_system.edge import tflite
from dcase_system.edge.folding import folded
from dcase_system.models import registry

# Published for the baseline: int8, on the board.
BASELINE = {
    "accuracy_inference": 0.5647,
    "accuracy_tflite": 0.5628,
    "roc_auc_inference": 0.8921,
    "roc_auc_tflite": 0.8923,
    "model_size_tflite_bytes": 111_408,
    "macs_inference": 23_326_923,
    "macs_tflite": 23_315_232,
    "embedded_time_ms_preprocessing": 241.12,
    "embedded_time_ms_model": 330.36,
    "embedded_time_ms_total": 575.92,
    "embedded_ram_usage_bytes": 202_556,
}


def test_the_rank_is_the_published_formula():
    terms = rank_terms(BASELINE)
    assert terms["accuracy_inference"] == pytest.approx((0.5647 - 0.56) / 0.44)
    assert terms["accuracy_tflite"] == pytest.approx((0.5628 - 0.56) / 0.44 * 2)
    assert terms["roc_auc_inference"] == pytest.approx((0.8921 - 0.89) / 0.08 * 0.5)
    assert terms["roc_auc_tflite"] == pytest.approx((0.8923 - 0.89) / 0.08 * 0.5)
    assert terms["model_size_tflite_bytes"] == pytest.approx(
        (4_755_032 - 111_408) / (4_755_032 - 42_232) * 0.5
    )
    assert terms["macs_inference"] == pytest.approx(0.3)
    assert terms["macs_tflite"] == pytest.approx(
        (567_313_754 - 23_315_232) / (567_313_754 - 3_911_888) * 0.5
    )
    assert terms["embedded_time_ms_preprocessing"] == pytest.approx(0.3)
    assert terms["embedded_time_ms_model"] == pytest.approx((2_000 - 330.36) / 1_712.47 * 0.4)
    assert terms["embedded_time_ms_total"] == pytest.approx((2_000 - 575.92) / 1_712.47 * 0.5)
    assert terms["embedded_ram_usage_bytes"] == pytest.approx(
        (1_000_000 - 202_556) / (1_000_000 - 95_900) * 0.5
    )


def test_costs_score_no_less_than_0_and_accuracies_may():
    terms = rank_terms(dict.fromkeys(BASELINE, 0.0) | {"embedded_time_ms_model": 9_999.0})
    assert terms["embedded_time_ms_model"] == 0.0
    assert terms["accuracy_tflite"] < 0
    terms = rank_terms(BASELINE | {"model_size_tflite_bytes": 5_000_000, "macs_tflite": 10**9})
    assert terms["model_size_tflite_bytes"] < 0 and terms["macs_tflite"] == 0.0


def test_the_baseline_as_int8_costs_what_was_measured_on_the_board(tmp_path):
    network = registry.build(registry.named_spec("biodcase_baseline"))
    features = np.random.default_rng(0).uniform(size=(4, 40, 133, 1)).astype(np.float32)
    tflite.export(network, tmp_path, features, ["int8"])
    costs = board_report((tmp_path / tflite.file_name("int8")).read_bytes())
    assert costs.params == 96_896  # 97,163 less the biases
    # Convolutions, dense layers and the cells of both poolings, as the contest counts them.
    convolutions = 38 * 131 * 32 * 9 + 17 * 63 * 64 * 288 + 2 * 13 * 128 * 576
    assert costs.macs == convolutions + 128 * 32 + 32 * 11 + 19 * 65 * 32 * 4 + 4 * 15 * 64 * 16
    assert costs.ram_bytes == pytest.approx(202_556, rel=0.01)
    assert costs.model_ms == pytest.approx(330.36, rel=0.1)


def test_roc_auc_is_one_class_against_the_rest():
    generator = np.random.default_rng(0)
    logits, labels = generator.normal(size=(60, 3)), generator.integers(0, 3, 60)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert roc_auc(logits, labels) == pytest.approx(expected)


def test_the_macs_of_a_keras_network_are_half_of_the_profiled_operations():
    network = folded(registry.build(registry.named_spec("separable_16")))
    # As the contest's own code counted this network, with TensorFlow's profiler.
    assert profiled_macs(network) == 5_797_413
