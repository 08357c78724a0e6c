"""Stores a network in a folder: its spec and its weights."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dcase_system.core.errors import InputError
from dcase_system.core.files import file_digest, write_json
from dcase_system.core.folders import refuse_file
from dcase_system.models import registry

MOST_BYTES = 4 * 2**30
"""Largest accepted size of a `.keras` file, unpacked."""

_PARTS = ["config.json", "metadata.json", "model.weights.h5"]
FILES = SPEC, WEIGHTS = ("spec.json", "network.keras")


def save_network(folder: Path, network: keras.Model, spec: Any) -> None:
    """Writes `spec.json` and `network.keras`."""
    write_json(folder / SPEC, registry.spec_to_json(spec))
    network.save(folder / WEIGHTS)


def load_network(folder: Path) -> keras.Model:
    """Loads a network written by `save_network`: builds its spec and loads the weights.

    Raises:
        InputError: The folder holds no spec, or no matching weights.
    """
    refuse_file(folder)
    network = registry.build(registry.read_spec(folder / SPEC))
    load_weights(network, folder / WEIGHTS)
    return network


def load_weights(network: keras.Model, path: Path) -> None:
    """Loads weights that Keras saved from a network of the same layers.

    Raises:
        InputError: The file is missing or damaged, or holds other weights.
    """
    with _refused(path, "weights", "those of the spec"):
        _check_archive(path)
        network.load_weights(path)


def load_model(path: Path) -> keras.Model:
    """Loads a `.keras` file of any origin in Keras's safe mode, which runs no code from it.

    Raises:
        InputError: The file is not a `.keras` file, is damaged, or is rejected by the safe mode.
    """
    with _refused(path, "model", "a .keras file with layers known to Keras"):
        _check_archive(path)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        if not isinstance(model, keras.Model):
            raise ValueError(f"holds a {type(model).__name__}")
    return model


@contextmanager
def _refused(path: Path, what: str, expected: str) -> Iterator[None]:
    """Turns whatever Keras and h5py raise on damaged files into one error."""
    try:
        yield
    except InputError:
        raise
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ImportError,
        ArithmeticError,
        RuntimeError,
        AssertionError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        MemoryError,
        tf.errors.OpError,
    ) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError(
            f"{what} cannot be read ({reason[:300]})", where=path, expected=expected
        ) from error


def _check_archive(path: Path) -> None:
    """Rejects archives that unpack to more than `MOST_BYTES` or hold unexpected names."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > MOST_BYTES:
            raise ValueError(f"unpacks to {size:,} bytes, more than {MOST_BYTES:,}")
        names = [entry.filename for entry in entries]
        if sorted(names) != _PARTS:
            raise ValueError(f"holds {names[:5]}, expected {_PARTS}")
        archive.testzip()


def weights_digest(folder: Path) -> str:
    """Computes the SHA-256 of the weights file.

    Raises:
        InputError: There is no weights file.
    """
    try:
        return file_digest(folder / WEIGHTS)
    except OSError as error:
        raise InputError(f"no weights ({error.strerror})", where=folder / WEIGHTS) from error
