"""Seeds: one number determines all randomness of a run."""

import hashlib

import keras
import numpy as np
import tensorflow as tf


def set_seed(seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow and enables TensorFlow's deterministic kernels."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def derive(seed: int, purpose: str, *numbers: int) -> int:
    """Derives a seed for one purpose of a run, independent of the others.

    Args:
        seed: Seed of the run.
        purpose: What the seed is for; callers that use the same words get the same seed.
        *numbers: Index, where there are several of one purpose.
    """
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    return int(np.random.SeedSequence([seed, word, *numbers]).generate_state(1)[0] >> 1)
