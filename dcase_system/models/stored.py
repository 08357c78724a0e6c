"""A network in a folder: its spec and its weights."""

import zipfile
from pathlib import Path
from typing import Any

import keras

from dcase_system.errors import InputError
from dcase_system.files import file_digest, write_json
from dcase_system.models import registry

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
    try:
        network.load_weights(folder / WEIGHTS)
    except (OSError, ValueError, LookupError, zipfile.BadZipFile) as error:
        raise InputError(
            f"weights cannot be read ({error})",
            where=folder / WEIGHTS,
            expected="those of the spec",
        ) from error
    return network


def weights_digest(folder: Path) -> str:
    """SHA-256 of the weights file.

    Raises:
        InputError: there is none.
    """
    try:
        return file_digest(folder / WEIGHTS)
    except OSError as error:
        raise InputError(f"no weights ({error.strerror})", where=folder / WEIGHTS) from error
