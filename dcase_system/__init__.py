"""Low-complexity acoustic scene and event classification with Keras and TensorFlow."""

import os
import sys

from dcase_system.core.interrupts import watch
from dcase_system.keras_classes import register_with_keras

# TensorFlow reads this when it is first imported. Its start-up notices are logged as errors (three
# on a machine without GPU); what really fails reaches Python as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# TensorFlow has oneDNN on by itself on processors with AVX-512 VNNI and later; on others a training
# step of the networks here takes twice as long without it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.2.0"


def _is_command() -> bool:
    """Whether this process is `python -m` of a module of ours, and nobody else's program."""
    given = sys.orig_argv[1:]
    module = given[given.index("-m") + 1] if "-m" in given[:-1] else ""
    return module.partition(".")[0] in (__name__, "recipes")


register_with_keras()
if _is_command():
    watch()  # while TensorFlow is imported, too
