"""Low-complexity acoustic scene and event classification with Keras and TensorFlow."""

import os
import sys

from dcase_system.core.import_hooks import at_import
from dcase_system.core.interrupts import watch
from dcase_system.core.native_messages import hidden_during
from dcase_system.keras_classes import register_with_keras

# TensorFlow reads this at its first import. It logs start-up notices as errors (three on a machine
# without GPU); real failures reach Python as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# TensorFlow enables oneDNN only on processors with AVX-512 VNNI and later; on others a training
# step of our networks takes twice as long without it.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.2.0"


def _is_command() -> bool:
    """Whether this process runs `python -m` with one of our modules, not another program."""
    given = sys.orig_argv[1:]
    module = given[given.index("-m") + 1] if "-m" in given[:-1] else ""
    return module.partition(".")[0] in (__name__, "recipes")


register_with_keras()
if _is_command():
    watch()  # also covers the import of TensorFlow
    if "tensorflow" not in sys.modules:
        # From 2.20 on its notices heed no log level.
        at_import("tensorflow", hidden_during)
