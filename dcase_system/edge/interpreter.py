"""Loads `.tflite` models into TensorFlow's interpreter."""

import tensorflow as tf

from dcase_system.core import native_messages


def loaded(
    content: bytes, threads: int | None = None, *, every_tensor: bool = False
) -> tf.lite.Interpreter:
    """Loads a model and allocates its tensors, without the interpreter's notices.

    Args:
        content: Content of a `.tflite` file, checked by `flatbuffer.parse`.
        threads: Number of threads; by default the interpreter's own.
        every_tensor: Whether all tensors can be read after a run, not only outputs.

    Raises:
        ValueError, RuntimeError: The interpreter rejects the model.
    """
    with native_messages.hidden():
        interpreter = tf.lite.Interpreter(
            model_content=content,
            num_threads=threads,
            experimental_preserve_all_tensors=every_tensor,
        )
        interpreter.allocate_tensors()
    return interpreter
