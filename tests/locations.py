"""Corpora in TensorFlow's in-memory file system, visible to this process only."""

import importlib.util
from pathlib import Path
from uuid import uuid4

import pytest
import tensorflow as tf

needs_tensorflow_io = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_io") is None,
    reason="tensorflow-io is not installed: it is not published for this Python",
)


def in_memory(folder: Path) -> str:
    """Copies the folder there and returns its URL."""
    url = f"ram://{uuid4().hex}/{folder.name}"
    for path in folder.rglob("*"):
        if path.is_file():
            write(f"{url}/{path.relative_to(folder)}", path.read_bytes())
    return url


def write(url: str, data: bytes) -> None:
    tf.io.gfile.makedirs(url.rpartition("/")[0])
    if tf.io.gfile.exists(url):
        tf.io.gfile.remove(url)  # memory would write behind what is there
    with tf.io.gfile.GFile(url, "wb") as stream:
        stream.write(data)
