"""The optimiser of the training loop."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("dcase_system")
class Adam(keras.optimizers.AdamW):
    """Adam with decoupled weight decay, with an L2 term in the gradients, or with both.

    PyTorch's `Adam(weight_decay=...)` is the L2 term: Adam scales it by its own moments, so it
    differs from decoupled decay of the same size.

    Args:
        l2: Multiple of each parameter that is added to its gradient.
    """

    def __init__(self, *args, l2: float = 0.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.l2 = l2

    def update_step(self, gradient, variable, learning_rate):
        if self.l2:
            gradient = gradient + self.l2 * keras.ops.convert_to_tensor(variable)
        super().update_step(gradient, variable, learning_rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}


def batches_seen(optimizer: Any) -> int:
    """Number of batches an optimiser of Keras or tf_keras has processed.

    Its `iterations` counts only weight updates, which are fewer when gradients accumulate.
    """
    return int(optimizer.variables[0].numpy())
