"""A small supernet and clips for it."""

import numpy as np

from dcase_system.audio.specs import LogMelSpec
from dcase_system.audio.store import Waveforms
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.training import seeds

FRONT_END = LogMelSpec(
    sample_rate=4_000, window_length=256, hop_length=100, fft_length=256, n_mels=16, max_hz=2_000.0
)
BASE = CNN10Spec(
    blocks=((4, 4), (6, 6), (10, 10), (13, 13)), embedding=8, classes=3, input_shape=(16, 33)
)
# Two blocks are traced in half the time.
SHALLOW = CNN10Spec(
    blocks=((8, 8), (16, 16)),
    embedding=16,
    classes=3,
    input_shape=(16, 33),
    block_dropout=0.05,
    head_dropout=0.1,
)
CLIPS = 40


def small_supernet(seed: int = 0, spec: CNN10Spec = BASE) -> ElasticNetwork:
    """With statistics and affine parameters that matter."""
    seeds.set_seed(seed)
    supernet = ElasticNetwork(spec)
    generator = np.random.default_rng(seed)
    for weight in supernet.weights:
        if "bn" in weight.path and len(weight.shape) == 1:
            weight.assign(generator.uniform(0.5, 1.5, weight.shape))
    return supernet


def features(clips: int = 6, frames: int = 33, seed: int = 0) -> np.ndarray:
    shape = (clips, BASE.input_shape[0], frames, 1)
    return np.random.default_rng(seed).normal(0.5, 1.0, shape).astype(np.float32)


def tones() -> tuple[Waveforms, np.ndarray]:
    """Mixtures of three pitches in noise, and which of them are in each: (clips, 3)."""
    generator = np.random.default_rng(0)
    labels = (generator.random((CLIPS, 3)) < 0.5).astype(np.float32)
    seconds = np.arange(3_200) / 4_000
    pitches = np.sin(2 * np.pi * np.array([[200], [600], [1_400]]) * seconds)
    clips = 0.2 * labels @ pitches + generator.normal(0, 0.05, (CLIPS, 3_200))
    samples = np.clip(clips * 2**15, -(2**15), 2**15 - 1).astype(np.int16)
    return Waveforms(samples, np.arange(CLIPS), "tones"), labels
