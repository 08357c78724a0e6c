"""The optimiser of the training loop."""

from typing import Any

import keras
import tensorflow as tf


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

    def _apply_weight_decay(self, variables):
        """Leaves the decay to `update_step`: Keras would compute the schedule for each variable."""

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = [tf.pow(beta, step) for beta in (self.beta_1, self.beta_2)]
        rates = tf.cast(learning_rate, tf.float32), *powers
        super()._backend_update_step(grads, trainable_variables, rates)

    def update_step(self, gradient, variable, learning_rate):
        # TensorFlow's fused kernel: one operation in place of Keras's twenty.
        rate, beta_1_power, beta_2_power = learning_rate
        if self.weight_decay and self._use_weight_decay(variable):
            variable.assign_sub(variable * self.weight_decay * rate)
        if self.l2:
            gradient = gradient + self.l2 * variable
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1_power,
            beta2_power=beta_2_power,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}


def batches_seen(optimizer: Any) -> int:
    """Number of batches an optimiser of Keras or tf_keras has processed.

    Its `iterations` counts only weight updates, which are fewer when gradients accumulate.
    """
    return int(optimizer.variables[0].numpy())
