"""Networks to prune, with weights that leave nothing equal by chance."""

import keras
import numpy as np

from dcase_system.pruning.masks import masked_model, set_masks
from dcase_system.pruning.slim import slim

_LAYERS = keras.layers


def randomise(model: keras.Model, seed: int = 0) -> keras.Model:
    """Fills all weights with numbers as after training, the same for one seed."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if hasattr(layer, "adapt"):
            continue  # it computes with numbers that it has derived from its weights
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if weight.name in ("gamma", "moving_variance", "alpha"):
                weight.assign(generator.uniform(0.5, 1.5, shape))
            elif weight.name in ("beta", "moving_mean", "bias"):
                weight.assign(generator.normal(0, 0.3, shape))
            else:
                alone = "depthwise" in f"{type(layer).__name__} {weight.name}".lower()
                inputs = np.prod(shape[:-2] if alone else shape[:-1])
                weight.assign(generator.normal(0, (2 / inputs) ** 0.5, shape))
    return model


def calibrate(model: keras.Model, x: np.ndarray) -> None:
    """Gives batch norms the statistics of some data.

    With statistics of no data the signal dies within a few layers, and any two networks agree; with
    those of other data it explodes.
    """
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(x, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def random_inputs(model: keras.Model, clips: int = 3, seed: int = 1) -> np.ndarray:
    """Noise over coarse patches, so that clips still differ when their maps are averaged."""
    generator = np.random.default_rng(seed)
    shape = [32 if size is None else size for size in model.input_shape[1:]]
    x = generator.normal(size=(clips, *shape))
    if len(shape) == 3:
        patch = np.ceil(np.array(shape[:2]) / 2).astype(int)
        coarse = generator.normal(0, 2, (clips, 2, 2, shape[2]))
        x += np.kron(coarse, np.ones((1, *patch, 1)))[:, : shape[0], : shape[1]]
    return x.astype(np.float32)


def random_kept(groups, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Any number of channels of each group, from one to all."""
    return {
        group.name: np.sort(
            generator.choice(group.size, generator.integers(1, group.size + 1), replace=False)
        )
        for group in groups
    }


def assert_masked_is_slim(
    model: keras.Model, kept: dict, tolerance: float, lively: bool = True
) -> keras.Model:
    """Checks outputs of the masked and of the slim network.

    Args:
        model: with random weights.
        kept: channels that stay.
        tolerance: relative to the outputs' size.
        lively: whether outputs have to differ from clip to clip, and from those of `model`.

    Returns:
        The slim network.
    """
    masked, x = masked_model(model), random_inputs(model, 8)
    np.testing.assert_array_equal(masked(x), model(x))
    set_masks(masked, kept)
    calibrate(masked, x)
    whole, weights = np.asarray(model(x)), model.get_weights()
    smaller = slim(model, kept)
    hidden, removed = np.asarray(masked(x)), np.asarray(smaller(x))
    scale = max(1.0, np.abs(hidden).max())
    if lively:
        assert np.ptp(hidden, axis=0).max() > 0.05 * scale
        assert np.abs(hidden - whole).max() > 0.05 * scale
    np.testing.assert_allclose(removed, hidden, rtol=0, atol=tolerance * scale)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)  # the original is untouched
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
