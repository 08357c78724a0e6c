import json

import numpy as np
import pytest

from dcase_system.edge import flatbuffer
from dcase_system.edge.names import FORMATS
from dcase_system.edge.tflite_model import TFLiteModel


def parsed(path):
    return flatbuffer.parse(path.read_bytes())


@pytest.mark.parametrize("name", FORMATS)
def test_the_network_of_a_waveform_file_is_the_one_that_takes_features(
    exported, signature, waveforms, name, tmp_path
):
    second = flatbuffer.second_of(parsed(exported / f"student_{name}_waveform.tflite"))
    (tmp_path / "second.tflite").write_bytes(second)
    features = np.asarray(signature.features(waveforms.gather(np.arange(8))))
    np.testing.assert_array_equal(
        TFLiteModel(tmp_path / "second.tflite")(features),
        TFLiteModel(exported / f"student_{name}.tflite")(features),
    )


def test_a_file_that_takes_features_has_no_front_end(exported):
    with pytest.raises(ValueError, match="no front end to leave out"):
        flatbuffer.second_of(parsed(exported / "student_int8.tflite"))


def release(text):
    return tuple(map(int, text.split(".")))


@pytest.mark.parametrize("name", FORMATS)
def test_a_waveform_file_needs_the_later_runtime_of_its_two_parts(exported, name):
    whole, network = (
        json.loads((exported / f"student_{name}{end}.json").read_text())
        for end in ("_waveform", "")
    )
    assert release(whole["least_tensorflow_lite"]) >= release(network["least_tensorflow_lite"])
    assert release(whole["least_tensorflow_lite"]) >= (2, 5)  # the first that has RFFT2D
    assert release(network["least_tensorflow_lite"]) < (2, 5)


@pytest.mark.parametrize("name", FORMATS)
def test_a_waveform_file_has_one_entry_for_its_runtime(exported, name):
    """A runtime reads the first one."""
    model = parsed(exported / f"student_{name}_waveform.tflite")
    assert [entry.name for entry in model.metadata].count(b"min_runtime_version") == 1


def test_versions_of_operators_are_the_largest_of_both_parts(exported):
    whole = flatbuffer.operator_versions(parsed(exported / "student_int8_waveform.tflite"))
    network = flatbuffer.operator_versions(parsed(exported / "student_int8.tflite"))
    assert network["CONV_2D"] == 3  # per channel
    assert network.items() <= whole.items()
    assert (
        whole.keys()
        == flatbuffer.operators(parsed(exported / "student_int8_waveform.tflite")).keys()
    )


def test_a_file_without_the_converter_s_metadata_names_no_runtime(exported):
    model = parsed(exported / "student_float32.tflite")
    model.metadata = None
    assert flatbuffer.least_runtime(model) is None
