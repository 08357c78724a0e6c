"""Tests of the package; what is set here holds in their processes before TensorFlow is imported."""

import gc
import os

# TensorFlow's modules and traces are millions of small objects, and Python's default thresholds
# have the garbage collector visit all of them again and again: a tenth of the tests' time.
gc.set_threshold(200_000, 50, 1000)
# Two workers on two cores: NumPy's threads only spin while they wait for each other, a sixth of the
# processor time of a toy training.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
