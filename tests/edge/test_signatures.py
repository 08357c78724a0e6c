"""Callers of a file find its input and output by name, after every step that rewrites it."""

import numpy as np
import pytest

from dcase_system.edge import flatbuffer, tflite, timing
from dcase_system.edge.quantisation import quantise

NAMES = [
    tflite.file_name(variant, takes)
    for variant in tflite.FORMATS
    for takes in ("features", "waveform")
]


def check(path, takes, clip):
    """Opens a file as its users do, and compares the signature with input and output by index."""
    for runtime in timing.RUNTIMES:
        interpreter = timing.load(path, 1, runtime)
        assert interpreter.get_signature_list() == {
            "serving_default": {"inputs": [takes], "outputs": ["logits"]}
        }
        taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        values = quantise(clip[None], taken)
        found = interpreter.get_signature_runner()(**{takes: values})["logits"]
        interpreter.set_tensor(taken["index"], values)
        interpreter.invoke()
        expected = interpreter.get_tensor(given["index"])
        assert expected.std() > 0
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_each_exported_file_runs_by_its_signature(exported, signature, waveforms, name):
    samples = waveforms.gather(np.arange(1))
    waveform = "waveform" in name
    clip = samples[0] if waveform else np.asarray(signature.features(samples))[0]
    check(exported / name, "waveform" if waveform else "features", clip)


def test_a_page_s_network_keeps_its_signature(exported, waveforms, tmp_path):
    content = (exported / "student_int8_waveform.tflite").read_bytes()
    (tmp_path / "within.tflite").write_bytes(flatbuffer.with_float_output(content))
    check(tmp_path / "within.tflite", "waveform", waveforms.gather(np.arange(1))[0])
    (signature,) = flatbuffer.parse((tmp_path / "within.tflite").read_bytes()).signatureDefs
    assert len(signature.inputs) == len(signature.outputs) == 1


def test_joined_models_are_named_by_their_ends(tmp_path):
    first = tflite.converted_function(lambda x: x + 1.0, (1, 4), "samples")
    second = tflite.converted_function(lambda x: x * x, (1, 4), "x")
    (tmp_path / "both.tflite").write_bytes(flatbuffer.joined(first, second))
    runner = timing.load(tmp_path / "both.tflite", 1).get_signature_runner("serving_default")
    x = np.arange(4, dtype=np.float32)[None]
    np.testing.assert_array_equal(runner(samples=x)["output_0"], (x + 1) ** 2)
