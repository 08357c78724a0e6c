import hashlib
import json
import re
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

from dcase_system.audio.scalogram import code_scalogram
from dcase_system.audio.specs import PannsMelSpec
from dcase_system.core.errors import InputError
from dcase_system.edge import flatbuffer, tflite, variants
from dcase_system.edge.card import read_card
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models.signature import (
    ModelSignature,
    Normalisation,
    load_signature,
    save_signature,
)
from dcase_system.reporting.model_card import write_model_card

FILES = [
    tflite.file_name(name, takes) for name in tflite.FORMATS for takes in ("features", "waveform")
]


@pytest.mark.parametrize("name", FILES)
def test_a_file_carries_its_signature(exported, signature, name):
    card = read_card(exported / name)
    assert card.signature.to_json() == signature.to_json()
    assert name == tflite.file_name(card.format, card.takes)


@pytest.mark.parametrize("name", FILES)
def test_the_card_beside_a_file_describes_it(exported, name):
    whole = json.loads((exported / name).with_suffix(".json").read_text())
    content = (exported / name).read_bytes()
    assert whole["bytes"] == len(content)
    assert whole["sha256"] == hashlib.sha256(content).hexdigest()
    interpreter = tf.lite.Interpreter(model_content=content)
    for side, details in (
        ("input", interpreter.get_input_details()[0]),
        ("output", interpreter.get_output_details()[0]),
    ):
        assert whole[side]["shape"] == details["shape"].tolist()
        assert whole[side]["type"] == details["dtype"].__name__
        assert whole[side].get("scale", 0) == details["quantization"][0]
        assert whole[side].get("zero_point", 0) == details["quantization"][1]


@pytest.mark.parametrize("name", FILES)
def test_the_card_counts_the_clips_that_set_ranges(exported, waveforms, name):
    whole = json.loads((exported / name).with_suffix(".json").read_text())
    expected = len(waveforms) if "int8" in name else None
    assert whole["calibration_clips"] == read_card(exported / name).calibration_clips == expected


def raw_output(folder, name, signature, waveform):
    """What a file gives for one clip: by TFLite alone, its input quantised as its card says."""
    card = json.loads((folder / name).with_suffix(".json").read_text())
    taken = waveform if card["takes"] == "waveform" else np.asarray(signature.features(waveform))
    taken = taken[: card["input"]["shape"][0]]
    if "scale" in card["input"]:
        stored = np.round(taken / card["input"]["scale"]) + card["input"]["zero_point"]
        taken = np.clip(stored, -128, 127)
    interpreter = tf.lite.Interpreter(str(folder / name))
    interpreter.allocate_tensors()
    interpreter.set_tensor(
        interpreter.get_input_details()[0]["index"], taken.astype(card["input"]["type"])
    )
    interpreter.invoke()
    return card, interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def logits_by(card, output):
    """Logits of an output, as the card says to make them."""
    assert card["output"]["type"] == output.dtype.name
    assert card["output"]["meaning"].startswith("logits, ")
    if "scale" not in card["output"]:
        return output
    return card["output"]["scale"] * (output.astype(float) - card["output"]["zero_point"])


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_logits_that_its_card_and_the_model_card_say(
    exported, network, signature, waveforms, name, tmp_path
):
    clip = waveforms.gather(np.array([7]))
    card, output = raw_output(exported, name, signature, clip)
    logits = logits_by(card, output)
    wanted = np.asarray(network(signature.features(clip)))
    np.testing.assert_allclose(logits, wanted, atol=0.1 if "int8" in name else 0.05)
    assert abs(logits.sum() - 1) > 0.05  # no distribution
    assert "softmax over the labels gives probabilities" in card["output"]["meaning"]
    np.testing.assert_allclose(softmax(logits, axis=-1), signature.probabilities(wanted), atol=0.03)
    # The model card of the folder has the same numbers.
    (tmp_path / "edge").mkdir()
    path = (exported / name).with_suffix(".json")
    shutil.copy(path, tmp_path / "edge")
    text = write_model_card(tmp_path).read_text()
    assert card["output"]["meaning"] in text
    said = re.search(
        rf"\| {name} +\|[^|]+\|[^|]+\| (\w+)(?:, scale (\S+), zero point (\S+))? +\|", text
    )
    assert said[1] == card["output"]["type"]
    if said[2]:
        by_model_card = float(said[2]) * (output.astype(float) - int(said[3]))
        np.testing.assert_allclose(by_model_card, logits, rtol=1e-6)
    else:
        assert "scale" not in card["output"] and "scale *" not in text


TAGS = ModelSignature(("speech", "music", "rain"), PannsMelSpec(), 16_000, activation="sigmoid")
SEGMENTED = ModelSignature(
    ("indoor", "outdoor"),
    code_scalogram(segment_frames=50),
    47_520,
    channels=2,
    activation="scaled_sigmoid",
)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            TAGS,
            "logits, one for each label, not probabilities: the sigmoid of each gives the proba",
        ),
        (
            SEGMENTED,
            "logits, a row for each segment of a clip, not probabilities: the sigmoid of each, "
            "averaged over the rows, divided by the sum over the labels gives probabilities",
        ),
        (
            replace(SEGMENTED, activation="softmax"),
            "logits, a row for each segment of a clip, not probabilities: softmax over the labels, "
            "averaged over the rows, gives probabilities",
        ),
    ],
)
def test_a_card_says_it_of_tags_and_of_segments_too(tmp_path, other, said):
    keras.utils.set_random_seed(1)
    generator = np.random.default_rng(1)
    waveforms = generator.normal(0, 0.1, (6, *other.waveform_shape)).astype(np.float32)
    features = np.asarray(other.features(waveforms))
    inputs = keras.Input(features.shape[1:])
    x = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(inputs, keras.layers.Dense(len(other.labels))(x))
    variants.export_all(network, other, features, tmp_path, ("float32", "int8"))
    for name in ("student_float32_waveform.tflite", "student_int8_waveform.tflite"):
        card, output = raw_output(tmp_path, name, other, waveforms[:1])
        logits = logits_by(card, output)
        assert logits.shape == (other.segments, len(other.labels))
        assert card["output"]["meaning"].startswith(said)
        if "softmax" in said:
            values = softmax(logits, axis=-1).mean(axis=0)
        else:
            values = expit(logits).mean(axis=0)
        if "divided" in said:
            values = values / values.sum()
        wanted = other.probabilities(np.asarray(network(other.features(waveforms[:1]))))
        np.testing.assert_allclose(values, wanted[0], atol=0.02)


def test_only_built_in_operators(exported):
    for name in FILES:
        whole = json.loads((exported / name).with_suffix(".json").read_text())
        assert not {"CUSTOM", "WHILE", "IF"} & whole["operators"].keys()
        assert not any(operator.startswith("FLEX") for operator in whole["operators"])


def test_int8_takes_and_gives_int8_and_its_waveform_file_floats(exported):
    def types(name):
        whole = json.loads((exported / name).read_text())
        return whole["input"]["type"], whole["output"]["type"]

    assert types("student_int8.json") == ("int8", "int8")
    assert types("student_int8_waveform.json") == ("float32", "int8")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1c\x00\x00\x00TFL3", b"\0" * 5_000])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "model.tflite").write_bytes(content)
    with pytest.raises(InputError, match=r"model\.tflite: not a model of this package"):
        read_card(tmp_path / "model.tflite")


def test_a_model_of_others_is_refused(tmp_path):
    content = tflite.converted_function(lambda x: x + 1.0, (1, 4), "x")
    (tmp_path / "other.tflite").write_bytes(content)
    with pytest.raises(InputError, match="not a model of this package"):
        read_card(tmp_path / "other.tflite")
    with pytest.raises(InputError, match="cannot be read"):
        read_card(tmp_path / "gone.tflite")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("labels", "rain", "labels: not a list"),
        ("samples", 0, "samples: wrong value"),
        (
            "activation",
            "relu",
            "activation: wrong value; expected 'softmax', 'sigmoid' or",
        ),
        ("front_end", {"kind": "mfcc"}, "front_end: not a front end; expected kind log_mel"),
        ("front_end", {"kind": "log_mel", "n_mels": -1}, "front_end.n_mels: wrong value"),
        ("front_end", {"kind": "\ud800"}, r"received '\\ud800'"),
        (
            "normalisation",
            {"mean": [[float("nan")]], "scale": [[1.0]]},
            r"normalisation\.mean\[0\]\[0\]: wrong value; expected a finite number",
        ),
    ],
)
def test_a_card_with_a_wrong_field_is_refused(tmp_path, exported, signature, field, value, said):
    model = flatbuffer.parse((exported / "student_float16.tflite").read_bytes())
    card = {
        "format": "float16",
        "takes": "features",
        "contract": signature.to_json() | {field: value},
    }
    flatbuffer.attach(model, "dcase_system.card", json.dumps(card).encode())
    (tmp_path / "m.tflite").write_bytes(flatbuffer.serialise(model))
    with pytest.raises(InputError, match=said):
        read_card(tmp_path / "m.tflite")


@pytest.mark.parametrize(
    "signature",
    [
        ModelSignature(("speech", "music"), PannsMelSpec(), 320_000, activation="sigmoid"),
        ModelSignature(("a", "b"), PannsMelSpec(), 320_000, rejection_threshold=0.25),
        ModelSignature(
            ("indoor", "outdoor"),
            code_scalogram(),
            480_000,
            channels=2,
            normalisation=Normalisation(((0.5, 1.0),), ((2.0, 3.0),)),
        ),
    ],
)
def test_signatures_survive_the_disk(tmp_path, signature):
    save_signature(tmp_path, signature)
    loaded = load_signature(tmp_path)
    assert loaded.to_json() == signature.to_json()
    assert loaded.normalisation == signature.normalisation


def test_a_signature_of_an_earlier_version_has_no_threshold(signature):
    values = signature.to_json()
    del values["rejection_threshold"]
    assert ModelSignature.from_json(values, "x").to_json() == signature.to_json()


def test_a_missing_signature_is_named(tmp_path):
    with pytest.raises(InputError, match=r"contract\.json: signature cannot be read"):
        load_signature(tmp_path)


def test_probabilities_are_the_mean_over_segments(signature):
    logits = np.log([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.4, 0.6]])
    two = replace(signature, front_end=code_scalogram(segment_frames=50), samples=48_000)
    assert two.segments == 3
    scene = replace(two, samples=47_520)
    assert scene.segments == 2
    np.testing.assert_allclose(scene.probabilities(logits), [[0.7, 0.3], [0.3, 0.7]])
    scaled = replace(scene, activation="scaled_sigmoid").probabilities(logits)
    expected = (1 / (1 + np.exp(-logits))).reshape(2, 2, 2).mean(axis=1)
    np.testing.assert_allclose(scaled, expected / expected.sum(axis=1, keepdims=True))
    tags = replace(signature, activation="sigmoid")
    np.testing.assert_allclose(tags.probabilities(np.zeros((1, 2))), [[0.5, 0.5]])


def test_joined_models_of_different_shapes_are_refused():
    first = tflite.converted_function(lambda x: x + 1.0, (1, 4), "x")
    second = tflite.converted_function(lambda x: x * 2.0, (1, 5), "x")
    with pytest.raises(ValueError, match=r"\[1, 4\] cannot be joined to \[1, 5\]"):
        flatbuffer.joined(first, second)


def test_joined_models_run_in_a_row(tmp_path):
    first = tflite.converted_function(lambda x: x + 1.0, (1, 4), "x")
    second = tflite.converted_function(lambda x: tf.exp(x) * 2.0, (1, 4), "x")
    (tmp_path / "both.tflite").write_bytes(flatbuffer.joined(first, second))
    x = np.linspace(-1, 1, 4, dtype=np.float32)
    result = TFLiteModel(tmp_path / "both.tflite")(x[None])
    np.testing.assert_allclose(result[0], 2 * np.exp(x + 1), rtol=1e-5)
