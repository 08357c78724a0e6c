"""Low-complexity acoustic scene and event classification with Keras and TensorFlow."""

import os

# TensorFlow reads this when it is first imported. Its start-up notices are logged as errors (three
# on a machine without GPU); what really fails reaches Python as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"
