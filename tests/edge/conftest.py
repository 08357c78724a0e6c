from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest

from dcase_system.audio.specs import LogMelSpec
from dcase_system.audio.store import Waveforms
from dcase_system.edge import checked_export, variants
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile
from dcase_system.models.signature import ModelSignature
from tests.small import shortened

SPEC = LogMelSpec(
    sample_rate=8_000, window_length=512, hop_length=200, fft_length=512, n_mels=32, max_hz=4_000.0
)
NETWORK = replace(shortened(partial(sscp_mobile, 8)), input_shape=(32, 41), classes=4)


@pytest.fixture(scope="session")
def signature():
    return ModelSignature(("a", "b", "c", "d"), SPEC, samples=8_000)


@pytest.fixture(scope="session")
def waveforms():
    """Noise of many colours and levels."""
    generator = np.random.default_rng(2)
    noise = generator.normal(0, 1, (40, 8_000)).cumsum(axis=1)
    noise = np.diff(noise, n=1, axis=1, prepend=0) + 0.05 * noise
    levels = generator.uniform(0.001, 0.1, (40, 1))
    samples = (noise * levels * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)
    return Waveforms(samples, np.arange(40), "noise")


@pytest.fixture(scope="session")
def network(signature, waveforms):
    """A small SSCP-Mobile whose batch norms hold statistics as after training."""
    keras.utils.set_random_seed(0)
    network = registry.build(NETWORK)
    features = np.asarray(signature.features(waveforms.gather(np.arange(40))))
    for _ in range(30):
        network(features, training=True)
    return network


@pytest.fixture(scope="session")
def exported(network, signature, waveforms, tmp_path_factory):
    """A folder with every form of the network."""
    folder = tmp_path_factory.mktemp("exported")
    names = [f"audio/{row}.wav" for row in range(len(waveforms))]
    checked_export.export_checked(network, signature, waveforms, names, folder)
    return folder


@pytest.fixture(scope="session")
def logits(network, signature, waveforms, exported):
    """Of every form, for the noise."""
    return variants.logits_of(
        variants.load_variants(network, exported), signature, waveforms, batch_size=7
    )
