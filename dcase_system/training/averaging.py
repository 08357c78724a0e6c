"""Averaged weights: at the end of a training, the network gets a moving average of its weights."""

from collections.abc import Callable, Iterable

import keras
import numpy as np

from dcase_system.training.batch_norm import recalibrate


class AverageWeights(keras.callbacks.Callback):
    """After the last epoch, replaces the weights by the optimiser's moving average of them.

    Until then the training runs on its own weights. Batch norm's statistics are those of its own
    weights too, so they are computed again, see `recalibrate`. Callbacks that follow, such as
    validation and the checkpoint, see the averaged network.

    Args:
        decay: Share of the old value that the average keeps in each batch; it holds about
            1 / (1 - decay) batches.
        network: Network within the model, from features to logits.
        batches: Returns the features of an epoch, (batch, ...) each, augmented as in training.
    """

    def __init__(
        self, decay: float, network: keras.Model, batches: Callable[[], Iterable[np.ndarray]]
    ):
        super().__init__()
        self.decay = decay
        self._network, self._batches = network, batches

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.params["epochs"]:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
            recalibrate(self._network, self._batches())
