"""YAMNet: its size, its published weights in both formats, and the published file's outputs."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge import tflite
from dcase_system.models import registry
from dcase_system.models.checkpoints.convert import import_checkpoint
from dcase_system.models.stored import load_network
from dcase_system.models.yamnet import YAMNetLayerSpec, YAMNetSpec
from tests.pruning.networks import randomise

SMALL = YAMNetSpec(3, (YAMNetLayerSpec(4), YAMNetLayerSpec(5, 2)), classes=6, input_shape=(16, 24))


@pytest.fixture
def small(monkeypatch):
    """The small network by its name, for `import_checkpoint`."""
    monkeypatch.setitem(registry.ARCHITECTURES, "yamnet", lambda: SMALL)


def features() -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(size=(2, *SMALL.input_shape, 1)).astype(np.float32)


def test_the_spec_has_the_published_parameters_without_those_of_batch_norm():
    """3,751,369 published values; 3 x 10,944 of batch norm become 10,944 biases."""
    spec, before, channels = registry.named_spec("yamnet"), 32, 32
    total = 9 * 32
    for layer in spec.layers:
        total += 9 * before + before * layer.channels
        channels += before + layer.channels
        before = layer.channels
    total += channels + (before + 1) * spec.classes
    assert channels == 10_944
    assert total + 2 * channels == 3_751_369


def test_frames_that_fill_no_stride_of_the_last_map_are_left_out():
    """With them, "same" would pad at the other side and shift the map under the weights."""
    features = np.random.default_rng(0).normal(size=(2, 16, 27, 1)).astype(np.float32)
    whole, longer = (registry.build(replace(SMALL, input_shape=(16, n))) for n in (24, 27))
    longer.set_weights(whole.get_weights())
    np.testing.assert_array_equal(longer(features), whole(features[:, :, :24]))


def test_keras_weights_are_imported_with_their_batch_norm(small, tmp_path):
    """Written by the Keras that the published file was written with, under the published names."""
    tf_keras = pytest.importorskip("tf_keras")
    layers = tf_keras.layers

    def normalised(x, layer):
        x = layer(x)
        x = layers.BatchNormalization(name=f"{layer.name}/bn", scale=False, epsilon=1e-4)(x)
        return layers.ReLU()(x)

    options = {"padding": "same", "use_bias": False}
    inputs = tf_keras.Input((24, 16, 1))
    x = normalised(inputs, layers.Conv2D(3, 3, 2, name="layer1/conv", **options))
    for number, layer in enumerate(SMALL.layers, 2):
        name = f"layer{number}"
        depthwise = layers.DepthwiseConv2D(
            3, layer.stride, name=f"{name}/depthwise_conv", **options
        )
        x = normalised(x, depthwise)
        pointwise = layers.Conv2D(layer.channels, 1, name=f"{name}/pointwise_conv", **options)
        x = normalised(x, pointwise)
    x = layers.Dense(SMALL.classes)(layers.GlobalAveragePooling2D()(x))
    reference = tf_keras.Model(inputs, x)
    generator = np.random.default_rng(0)
    reference.set_weights([generator.uniform(0.2, 1, w.shape) for w in reference.get_weights()])
    reference.save_weights(tmp_path / "yamnet.h5")
    import_checkpoint(tmp_path / "yamnet.h5", "yamnet", tmp_path / "imported")
    found = load_network(tmp_path / "imported")(features())
    expected = reference.predict(features().transpose(0, 2, 1, 3), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_tflite_file_is_imported_in_the_order_of_its_operators(small, tmp_path):
    network = randomise(registry.build(replace(SMALL, input_shape=(24, 16))))
    # Ours has the mel bands first; the published one, and so the file, the frames.
    for layer in network.layers:
        if len(layer.weights) == 2 and layer.name != "logits":
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel.transpose(1, 0, 2, 3), bias])
    x = features()
    tflite.export(network, tmp_path, x.transpose(0, 2, 1, 3), formats=("float32",))
    file = tmp_path / tflite.file_name("float32")
    import_checkpoint(file, "yamnet", tmp_path / "imported", classes=3, new_head=True)
    imported = load_network(tmp_path / "imported")
    assert imported.output_shape == (None, 3)
    embedding = [keras.Model(n.input, n.get_layer("embedding").output) for n in (network, imported)]
    np.testing.assert_allclose(
        embedding[1](x), embedding[0](x.transpose(0, 2, 1, 3)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("name", ["yamnet.h5", "yamnet.tflite"])
def test_a_damaged_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\x00\x00\x00TFL3" + b"\x89HDF\r\n" * 9)
    with pytest.raises(InputError, match="not YAMNet's weights, or damaged") as caught:
        import_checkpoint(tmp_path / name, "yamnet", tmp_path / "imported")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "imported").exists()


def test_a_spec_from_outside_is_checked():
    values = json.loads(json.dumps(registry.spec_to_json(SMALL)))
    assert registry.spec_from_json(values) == SMALL


@pytest.mark.shared
def test_the_published_file_scores_real_clips_as_the_imported_network(shared, tmp_path):
    """With the file's kernels as float32: as it is, it quantises activations in each call."""
    import soundfile
    import soxr
    from ai_edge_litert.interpreter import Interpreter

    from dcase_system.audio.specs import YamnetMelSpec
    from dcase_system.audio.yamnet_mel import YamnetMel
    from tests.models.yamnet_file import with_float_kernels

    published = shared / "yamnet" / "yamnet.tflite"
    content, mel_bank = with_float_kernels(published.read_bytes())
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    network = import_checkpoint(published, "yamnet", tmp_path / "imported").network
    front_end = YamnetMel(YamnetMelSpec(sample_rate=16_000, decimation=1))
    front_end._bank = mel_bank  # the file's is rounded to int8
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    files = sorted((shared / "scenes10" / "audio").glob("*.flac"))[:: 3_200 // 8]
    for file in files:
        samples, rate = soundfile.read(file, dtype="float32")
        x = np.resize(soxr.resample(samples, rate, 16_000), 15_600).astype(np.float32)
        interpreter.set_tensor(taken["index"], x)
        interpreter.invoke()
        scores = keras.ops.sigmoid(network(front_end(x[None])))[0]
        np.testing.assert_allclose(
            scores, interpreter.get_tensor(given["index"])[0], atol=1e-4, rtol=0
        )
