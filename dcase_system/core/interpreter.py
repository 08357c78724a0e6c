"""Loads `.tflite` models into LiteRT's interpreter, whose kernels are newer than TensorFlow's."""

import warnings

from ai_edge_litert.interpreter import Interpreter

from dcase_system.core import native_messages


def loaded(
    content: bytes, threads: int | None = None, *, every_tensor: bool = False
) -> Interpreter:
    """Loads a model and allocates its tensors, without the interpreter's notices.

    Args:
        content: Content of a `.tflite` file, checked by `flatbuffer.parse`.
        threads: Number of threads; by default the interpreter's own.
        every_tensor: Whether all tensors can be read after a run, not only outputs.

    Raises:
        ValueError, RuntimeError: The interpreter rejects the model.
    """
    with native_messages.hidden(), warnings.catch_warnings():
        # It says that reading every tensor takes memory.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(
            model_content=content,
            num_threads=threads,
            experimental_preserve_all_tensors=every_tensor,
        )
        interpreter.allocate_tensors()
    return interpreter
