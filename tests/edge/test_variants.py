import json

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge import tflite, variants
from dcase_system.edge.card import read_card
from dcase_system.edge.check import check_variants, compare
from dcase_system.edge.variants import ModelVariant


def test_every_form_is_there_and_gives_logits(logits):
    files = [f"tflite_{name}{end}" for name in tflite.FORMATS for end in ("", "_waveform")]
    assert list(logits) == ["keras_float32", "keras_float16", "saved_model", *files]
    assert {values.shape for values in logits.values()} == {(40, 4)}


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic"])
def test_waveform_in_is_front_end_and_network(logits, signature, name):
    """The issue's figure: probabilities within 1e-3."""
    parts, whole = logits[f"tflite_{name}"], logits[f"tflite_{name}_waveform"]
    np.testing.assert_allclose(
        signature.probabilities(whole), signature.probabilities(parts), atol=1e-3
    )


def test_waveform_in_at_int8_differs_by_a_rounding_of_the_features_at_most(logits, exported):
    scale = json.loads((exported / "student_int8.json").read_text())["output"]["scale"]
    difference = np.abs(logits["tflite_int8"] - logits["tflite_int8_waveform"])
    assert difference.max() <= 3 * scale
    assert (difference == 0).mean() > 0.8


def test_a_saved_model_is_the_network(logits):
    np.testing.assert_allclose(logits["saved_model"], logits["keras_float32"], atol=1e-4)


def test_the_export_leaves_labels_calibration_list_and_comparison(exported, signature):
    assert (exported / "labels.txt").read_text() == "a\nb\nc\nd\n"
    names = (exported / "calibration.csv").read_text().splitlines()
    assert names[:2] == ["filename", "audio/0.wav"] and len(names) == 41
    check = json.loads((exported / "check.json").read_text())
    assert check["keras_float32"] == {
        "agreement": 100.0,
        "largest_difference": 0.0,
        "mean_difference": 0.0,
    }
    assert check["tflite_float16"]["agreement"] >= 95.0


@pytest.mark.parametrize("takes", ["features", "waveform"])
def test_a_card_says_how_a_file_was_quantised(exported, takes):
    said = {name: read_card(exported / tflite.file_name(name, takes)) for name in tflite.FORMATS}
    assert {name: card.quantised for name, card in said.items()} == {
        "float32": None,
        "float16": None,
        "dynamic": "after training",
        "int8": "after training",
    }


def test_comparison_by_hand():
    found = compare(np.array([[0.6, 0.4], [0.2, 0.8]]), np.array([[0.4, 0.6], [0.2, 0.8]]))
    assert found.agreement == 50.0
    assert found.largest_difference == pytest.approx(0.2)
    assert found.mean_difference == pytest.approx(0.1)


def test_tags_are_compared_by_the_share_that_has_moved_however_many_there_are():
    few = compare(np.array([[0.9, 0.9, 0.1]]), np.array([[0.9, 0.8, 0.2]]))
    assert few.mean_difference == pytest.approx(0.2 / 3.8)
    many = compare(*(np.tile(one, 100) for one in ([[0.9, 0.9, 0.1]], [[0.9, 0.8, 0.2]])))
    assert many.mean_difference == pytest.approx(few.mean_difference)
    silent = compare(np.zeros((1, 527)), np.full((1, 527), 0.005))
    assert silent.mean_difference == pytest.approx(1.0)


@pytest.mark.parametrize(("name", "limit"), [("float32", 1e-3), ("int8", 0.1)])
def test_a_form_too_far_from_the_network_is_refused(name, limit):
    reference = np.full((10, 2), 0.5)

    def check(moved):
        values = reference + np.array([moved, -moved])
        known = {
            variants.REFERENCE: ModelVariant(np.asarray),
            "file": ModelVariant(np.asarray, format=name),
        }
        return check_variants(known, {variants.REFERENCE: reference, "file": values})

    assert check(0.9 * limit)["file"]["mean_difference"] == pytest.approx(0.9 * limit)
    with pytest.raises(InputError, match="file: exported variant deviates too far"):
        check(1.1 * limit)
    with pytest.raises(InputError, match="received nan"):
        check(np.nan)
