from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from dcase_system.audio.specs import LogMelSpec
from dcase_system.edge import variants
from dcase_system.models import registry
from dcase_system.models.signature import ModelSignature
from tests.edge import scenes
from tests.edge.conftest import NETWORK
from tests.edge.device import parity
from tests.edge.device.compiled import needs_gcc


@needs_gcc
@pytest.mark.slow
@pytest.mark.shared
def test_real_clips_get_the_same_class(shared, tmp_path):
    """From an untrained network whose last layer was solved for, with the front end of S1."""
    folder = shared / "scenes10"
    table = pd.read_csv(folder / "meta.csv", sep="\t").iloc[::8]
    labels = tuple(sorted(table.scene_label.unique()))
    signature = ModelSignature(labels, LogMelSpec(), samples=32_000)
    clips = parity.windows([folder / name for name in table.filename], signature)
    classes = np.array([labels.index(label) for label in table.scene_label])
    features = np.asarray(signature.features((clips[::2] / 2**15).astype(np.float32)))
    keras.utils.set_random_seed(0)
    network = registry.build(replace(NETWORK, input_shape=(256, 65), classes=len(labels)))
    body = keras.Model(network.input, network.get_layer("block2_relu").output)
    for _ in range(30):
        body(features[:50], training=True)
    heard = np.concatenate([np.mean(body(x), axis=(1, 2)) for x in np.array_split(features, 8)])
    scenes.solve(network, heard, 4 * np.eye(len(labels))[classes[::2]])
    variants.export_all(network, signature, features[:50], tmp_path, ("int8",))
    found = parity.compare(tmp_path / "student_int8.tflite", clips[1::2], tmp_path)
    assert found.clips > 200 and found.classes >= 0.995
    assert found.within_step >= 0.999
    assert found.real_within >= 0.995 and found.real_largest < 0.01
