"""Seeds: one number decides everything random of a run."""

import keras
import numpy as np
import tensorflow as tf


def set_seed(seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow and asks TensorFlow for repeatable kernels."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def derive(seed: int, *purpose: int) -> int:
    """A seed for one purpose of a run, independent of the others."""
    return int(np.random.SeedSequence([seed, *purpose]).generate_state(1)[0] >> 1)
