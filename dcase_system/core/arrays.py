"""Stored arrays: reads files that may be damaged, checks memory maps of files that may shrink."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from dcase_system.core.errors import InputError


def read_arrays(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns the arrays of a `.safetensors` file by name, and the metadata in its header.

    Such a file holds no code, and its arrays take no more memory than its size in bytes.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not a `.safetensors` file, or is damaged.
    """
    try:
        with safe_open(path, framework="np") as file:
            arrays = {name: file.get_tensor(name) for name in file.offset_keys()}
            return arrays, file.metadata() or {}
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, TypeError) as error:  # TypeError: no such NumPy type
        raise ValueError(str(error)) from error


def check_mapped(values: np.ndarray) -> None:
    """Refuses a memory map whose file was truncated: reading it would kill the process.

    Raises:
        InputError: The file was truncated.
    """
    # NumPy has no public attribute for the map. Only the map still refers to its file if the path
    # was renamed or removed.
    mapped = getattr(values, "_mmap", None)
    if mapped is not None and mapped.size() < len(mapped):
        raise InputError(
            "file was truncated while it was read",
            where=getattr(values, "filename", "memory map"),
            expected=f"{len(mapped):,} bytes; run again to rebuild the file",
            received=f"{mapped.size():,}",
        )
