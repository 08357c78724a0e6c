"""Stored arrays: reading files that may be damaged, and maps of files that may have been cut."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from dcase_system.core.errors import InputError


def read_arrays(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a `.safetensors` file by name, and the texts in its header.

    Such a file holds no code, and its arrays take no more memory than it has bytes.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is no such file, or is damaged.
    """
    try:
        with safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.offset_keys()}
            return arrays, file.metadata() or {}
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, TypeError) as error:  # TypeError: a number NumPy has not
        raise ValueError(str(error)) from error


def check_mapped(values: np.ndarray) -> None:
    """Refuses a memory map whose file has become shorter: to read it would end the process.

    Raises:
        InputError: the file has become shorter.
    """
    # NumPy has no public name for the map, and the map alone knows its file, whatever has become
    # of the name.
    mapped = getattr(values, "_mmap", None)
    if mapped is not None and mapped.size() < len(mapped):
        raise InputError(
            "file was truncated while it was read",
            where=getattr(values, "filename", "memory map"),
            expected=f"{len(mapped):,} bytes; the same command makes it anew",
            received=f"{mapped.size():,}",
        )
