"""Three synthetic scenes, and a small network that tells them apart without any training."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from dcase_system.edge import variants
from dcase_system.models import registry
from dcase_system.models.signature import ModelSignature
from tests.edge.conftest import NETWORK, SPEC

LABELS = ("engine_hall", "birds", "rain")
FORMATS = ("float16", "int8")
RATE = SPEC.sample_rate


def sound(label: str, seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """Samples at `RATE`, full scale = 1: a hum with its harmonics, chirps, or noise."""
    generator = np.random.default_rng([seed, LABELS.index(label)])
    time = np.arange(round(seconds * RATE)) / RATE
    noise = generator.normal(0, 1, len(time))
    if label == "rain":
        return 0.1 * noise
    if label == "birds":
        pitch = 2_400 + 700 * np.sin(2 * np.pi * (7 * time + generator.uniform()))
        return 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE) + 0.002 * noise
    pitch = generator.uniform(70, 90)
    hum = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 6))
    return 0.2 * hum + 0.004 * noise


def export(folder: Path, formats: tuple[str, ...] = FORMATS) -> ModelSignature:
    """Exports an SSCP-Mobile whose last layer was solved for, with the rest as drawn."""
    signature = ModelSignature(LABELS, SPEC, samples=RATE)
    clips = np.stack([sound(label, seed=seed) for seed in range(12) for label in LABELS])
    features = np.asarray(signature.features(clips.astype(np.float32)))
    keras.utils.set_random_seed(0)
    network = registry.build(replace(NETWORK, classes=len(LABELS)))
    body = keras.Model(network.input, network.get_layer("block2_relu").output)
    for _ in range(30):
        body(features, training=True)
    wanted = np.tile(4 * np.eye(len(LABELS)), (12, 1))
    solve(network, np.mean(body(features), axis=(1, 2)), wanted)
    variants.export_all(network, signature, features, folder, formats)
    return signature


def solve(network: keras.Model, heard: np.ndarray, wanted: np.ndarray) -> None:
    """Sets the last convolution, and its batch norm's offset, by regularised least squares."""
    centred = heard - heard.mean(axis=0)
    squares = centred.T @ centred + 1e-3 * len(heard) * np.eye(heard.shape[1])
    kernel = np.linalg.solve(squares, centred.T @ (wanted - wanted.mean(axis=0)))
    network.get_layer("head_conv").set_weights([kernel[None, None]])
    norm = network.get_layer("head_bn")
    gamma, _, mean, variance = norm.get_weights()
    offset = wanted.mean(axis=0) - heard.mean(axis=0) @ kernel
    norm.set_weights([gamma, offset, np.zeros_like(mean), np.ones_like(variance)])


def windows(samples: np.ndarray) -> Iterator[np.ndarray]:
    """What a recording is cut into; one too short is repeated."""
    if len(samples) < RATE:
        samples = np.resize(samples, RATE)
    for start in range(0, len(samples) - RATE + 1, RATE):
        yield samples[start : start + RATE]
