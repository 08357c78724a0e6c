"""Initial weights from a converted checkpoint."""

from pathlib import Path

import keras

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.checkpoints.published import published
from dcase_system.models.stored import SPEC, load_network


def load_initial_weights(network: keras.Model, folder: Path) -> tuple[str, ...]:
    """Initialises a network from a converted checkpoint, except a classifier for other classes.

    The random states of the network's layers do not change, so two trainings from the same
    checkpoint with different seeds differ.

    Args:
        network: Network, changed in place.
        folder: Folder written by `import_checkpoint`.

    Returns:
        Names of the layers that keep their own weights: none, or the classifier.

    Raises:
        InputError: The folder does not hold a network with the same layers.
    """
    stored = load_network(folder)
    head = published(registry.read_spec(folder / SPEC)).head
    new_head = network.output_shape != stored.output_shape
    skipped = head if new_head else ()
    sources = {layer.name: layer for layer in stored.layers if layer.weights}
    layers = [layer for layer in network.layers if layer.weights and layer.name not in skipped]
    for layer in layers:
        source = sources.pop(layer.name, None)
        shapes = [tuple(weight.shape) for weight in layer.weights]
        held = [tuple(weight.shape) for weight in source.weights] if source else "none"
        if shapes != held:
            raise InputError(
                f"layer {layer.name} does not fit",
                where=folder,
                expected=f"weights {shapes}",
                received=held,
            )
    if surplus := sources.keys() - set(skipped):
        raise InputError(f"layer {min(surplus)} does not exist in {network.name}", where=folder)
    for layer in layers:
        layer.set_weights(stored.get_layer(layer.name).get_weights())
    return tuple(skipped)
