"""A network in a folder: its spec and its weights."""

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
from dcase_system.models import registry

MOST_BYTES = 4 * 2**30
"""Of a `.keras` file, unpacked."""

_PARTS = ["config.json", "metadata.json", "model.weights.h5"]
FILES = SPEC, WEIGHTS = ("spec.json", "network.keras")


def save_network(folder: Path, network: keras.Model, spec: Any) -> None:
    """Writes `spec.json` and `network.keras`."""
    write_json(folder / SPEC, registry.spec_to_json(spec))
    network.save(folder / WEIGHTS)


def load_network(folder: Path) -> keras.Model:
    """The network that `save_network` wrote: built from its spec, with its weights.

    Raises:
        InputError: the folder holds no spec, or no weights of it.
    """
    network = registry.build(registry.read_spec(folder / SPEC))
    load_weights(network, folder / WEIGHTS)
    return network


def load_weights(network: keras.Model, path: Path) -> None:
    """Loads weights that Keras has saved with a network of the same layers.

    Raises:
        InputError: the file is missing or damaged, or holds others.
    """
    with _refused(path, "weights", "those of the spec"):
        _check_archive(path)
        network.load_weights(path)


def load_model(path: Path) -> keras.Model:
    """The network in a `.keras` file of any origin, in Keras's safe mode: nothing in it runs.

    Raises:
        InputError: it is no such file, is damaged, or is refused by the safe mode.
    """
    with _refused(path, "model", "a .keras file of layers that Keras has"):
        _check_archive(path)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        if not isinstance(model, keras.Model):
            raise ValueError(f"holds a {type(model).__name__}")
    return model


@contextmanager
def _refused(path: Path, what: str, expected: str) -> Iterator[None]:
    """What Keras and h5py raise on damaged files, as one error."""
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
    """Refuses what unpacks to more than weights can take, or to other names than Keras writes."""
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
    """SHA-256 of the weights file.

    Raises:
        InputError: there is none.
    """
    try:
        return file_digest(folder / WEIGHTS)
    except OSError as error:
        raise InputError(f"no weights ({error.strerror})", where=folder / WEIGHTS) from error
