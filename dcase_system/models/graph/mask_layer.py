"""Layer that hides channels."""

import keras


@keras.saving.register_keras_serializable("dcase_system")
class ChannelMask(keras.layers.Layer):
    """Multiplies the last axis by a mask of zeros and ones that training does not change.

    Input and output: (batch, ..., channels). A new mask hides nothing.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.supports_masking = True  # a mask over time passes on to later layers

    def build(self, input_shape):
        self.mask = self.add_weight(
            shape=(input_shape[-1],), initializer="ones", trainable=False, name="mask"
        )

    def call(self, inputs):
        return inputs * self.mask

    def compute_output_shape(self, input_shape):
        return input_shape
