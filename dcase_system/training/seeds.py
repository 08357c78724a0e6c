"""Seeds: one number decides everything random of a run."""

import hashlib

import keras
import numpy as np
import tensorflow as tf


def set_seed(seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow and asks TensorFlow for repeatable kernels."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def derive(seed: int, purpose: str, *numbers: int) -> int:
    """A seed for one purpose of a run, independent of the others.

    Args:
        seed: Seed of the run.
        purpose: What is seeded, in words: two callers that use the same words share their draws.
        *numbers: Which one, where there are several.
    """
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    return int(np.random.SeedSequence([seed, word, *numbers]).generate_state(1)[0] >> 1)
