"""Networks from files as front ends: inputs, outputs, and refused files."""

import json

import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.decimation import decimate
from dcase_system.audio.embedding import embedding_spec
from dcase_system.audio.front_ends import front_end
from dcase_system.core.errors import InputError
from dcase_system.models.signature import ModelSignature
from tests.audio.embedding_files import energies, tflite

WINDOW = 6_000
CLIPS = np.random.default_rng(0).normal(0.0, 0.1, (3, 32_000)).astype(np.float32)


class Network(tf.Module):
    """As YAMNet's SavedModel: one waveform of any length; frames of embeddings, and scores."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "waveform")])
    def embed(self, waveform):
        frames = tf.signal.frame(waveform, 2_000, 2_000)
        return {
            "embedding": tf.map_fn(energies, frames),
            "scores": tf.reduce_mean(frames, axis=1, keepdims=True)[:, :1],
        }


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedding") / "network"
    network = Network()
    tf.saved_model.save(network, str(folder), signatures=network.embed)
    return folder


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tflite(tmp_path_factory.mktemp("embedding") / "network.tflite", (1, WINDOW))


def values(spec, clips=CLIPS):
    return front_end(spec)(clips).numpy()[:, :, 0, 0]


def test_windows_of_a_tflite_file_are_spread_over_the_clip_and_averaged(file):
    spec = embedding_spec(file)
    assert (spec.window, spec.n_mels, spec.frames(32_000), spec.decimation) == (WINDOW, 4, 1, 2)
    own = decimate(CLIPS, 2)
    windows = own[:, :WINDOW], own[:, -WINDOW:]  # two whole ones fit into 16,000 samples
    expected = [
        np.mean([energies(clip) for clip in pair], axis=0) for pair in zip(*windows, strict=True)
    ]
    np.testing.assert_allclose(values(spec), expected, rtol=1e-5)


def test_a_clip_shorter_than_the_window_is_padded_with_silence(file):
    own = decimate(CLIPS[:, :4_000], 2)
    expected = [energies(tf.pad(clip, [[0, WINDOW - 2_000]])) for clip in own]
    np.testing.assert_allclose(values(embedding_spec(file), CLIPS[:, :4_000]), expected, rtol=1e-5)


def test_frames_of_a_saved_model_are_averaged_inside_a_graph_too(saved_model):
    spec = embedding_spec(saved_model, output="embedding")
    expected = [
        Network().embed(clip)["embedding"].numpy().mean(axis=0) for clip in decimate(CLIPS, 2)
    ]
    np.testing.assert_allclose(values(spec), expected, rtol=1e-5)
    layer = front_end(spec)
    in_graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 32_000), tf.float32)])
    np.testing.assert_allclose(in_graph(CLIPS)[:, :, 0, 0], expected, rtol=1e-5)
    assert layer.weights == []


def test_a_signature_keeps_the_network(file, tmp_path):
    spec = embedding_spec(file)
    signature = ModelSignature(("a", "b"), spec, 32_000)
    stored = json.loads(json.dumps(signature.to_json()))
    assert ModelSignature.from_json(stored, tmp_path).front_end == spec


def test_a_network_that_has_changed_is_refused(file, tmp_path):
    copy = tmp_path / "network.tflite"
    copy.write_bytes(file.read_bytes())
    spec = embedding_spec(copy)
    copy.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"network is missing, or has changed .* SHA-256"):
        front_end(spec)
    copy.unlink()
    with pytest.raises(InputError, match=r"network.tflite: network is missing, or has changed"):
        front_end(spec)


def test_networks_that_cannot_serve_are_refused(file, saved_model, tmp_path):
    with pytest.raises(InputError, match=r"no such output; expected embedding \| scores; received"):
        embedding_spec(saved_model)
    with pytest.raises(InputError, match="32000 Hz divided by a whole number; received 44100 Hz"):
        embedding_spec(file, network_rate=44_100)
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(file.read_bytes()[:200])
    with pytest.raises(InputError, match=r"damaged.tflite: network cannot be read; expected a"):
        embedding_spec(damaged)
    with pytest.raises(InputError, match=r"not a network; expected a .tflite file or a SavedModel"):
        embedding_spec(tmp_path)
    anything = tflite(
        tmp_path / "any.tflite", (1, None), lambda samples: tf.stack([samples[0]] * 4)
    )
    with pytest.raises(InputError, match=r"of any length; expected a fixed number of samples in a"):
        embedding_spec(anything)
    image = tflite(tmp_path / "image.tflite", (4, 4, 3), lambda pixels: pixels[:4])
    with pytest.raises(InputError, match=r"image.tflite: network takes no waveforms; expected a"):
        embedding_spec(image)
