"""Networks to prune, with weights that leave nothing equal by chance."""

import keras
import numpy as np

from dcase_system.pruning.masks import masked_model, set_masks
from dcase_system.pruning.slim import slim

_LAYERS = keras.layers


def randomise(model: keras.Model, seed: int = 0) -> keras.Model:
    """Fills batch norms and biases with numbers as after training; kernels keep their scale."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if weight.name in ("gamma", "moving_variance", "alpha"):
                weight.assign(generator.uniform(0.5, 1.5, shape))
            elif weight.name in ("beta", "moving_mean", "bias"):
                weight.assign(generator.normal(0, 0.3, shape))
            elif weight.name != "mask":
                scale = np.asarray(weight).std() or 0.1
                weight.assign(generator.normal(0, scale, shape))
    return model


def random_inputs(model: keras.Model, clips: int = 2, seed: int = 1) -> np.ndarray:
    shape = [32 if size is None else size for size in model.input_shape[1:]]
    return np.random.default_rng(seed).normal(size=(clips, *shape)).astype(np.float32)


def random_kept(groups, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Any number of channels of each group, from one to all."""
    return {
        group.name: np.sort(
            generator.choice(group.size, generator.integers(1, group.size + 1), replace=False)
        )
        for group in groups
    }


def assert_masked_is_slim(model: keras.Model, kept: dict, tolerance: float) -> keras.Model:
    """Checks outputs of the masked and of the slim network; tolerance is relative to their size.

    Returns:
        The slim network.
    """
    masked, smaller, x = masked_model(model), slim(model, kept), random_inputs(model)
    before = np.asarray(model(x))
    np.testing.assert_array_equal(masked(x), before)
    set_masks(masked, kept)
    hidden, removed = np.asarray(masked(x)), np.asarray(smaller(x))
    scale = max(1.0, np.abs(hidden).max())
    np.testing.assert_allclose(removed, hidden, rtol=0, atol=tolerance * scale)
    if any(len(kept[name]) for name in kept):
        np.testing.assert_array_equal(model(x), before)  # the original is untouched
    return smaller


def conv(x, filters: int, name: str, size: int = 1, **options):
    return _LAYERS.Conv2D(filters, size, padding="same", name=name, **options)(x)


def norm_relu(x):
    return _LAYERS.ReLU()(_LAYERS.BatchNormalization()(x))


def dense_net() -> keras.Model:
    """Concatenations as in DenseNet, squeeze and excitation, a flattened classifier."""
    inputs = keras.Input((8, 8, 3), name="image")
    x = conv(inputs, 6, "stem", 3, use_bias=False)
    for index in (1, 2):
        y = conv(norm_relu(x), 8, f"bottleneck{index}")
        y = conv(norm_relu(y), 4, f"growth{index}", 3)
        x = _LAYERS.Concatenate(name=f"concat{index}")([x, y])
    x = conv(norm_relu(x), 10, "transition")
    gate = _LAYERS.Reshape((1, 1, 10), name="gate_map")(_LAYERS.GlobalAveragePooling2D()(x))
    gate = conv(conv(gate, 3, "squeeze", activation="relu"), 10, "excite", activation="sigmoid")
    x = _LAYERS.Multiply(name="gated")([x, gate])
    x = _LAYERS.Dropout(0.2)(_LAYERS.AveragePooling2D(4)(x))
    x = _LAYERS.Flatten(name="flat")(x)
    return keras.Model(inputs, _LAYERS.Dense(5, name="classifier")(x), name="dense_net")
