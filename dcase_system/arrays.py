"""Reading stored arrays that may be damaged or hostile: no pickle, no bombs, one kind of error."""

import io
import struct
import sys
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from dcase_system.errors import InputError

MOST_BYTES = 4 * 2**30
"""What all arrays of a file may take together; the largest checkpoints of the package take 1 GB."""

_MOST_ARRAYS = 20_000
_KINDS = "biufU"  # booleans, numbers, text: nothing that holds Python objects
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    # Also NotImplementedError: encryption, unknown methods and versions.
    RuntimeError,
    ArithmeticError,
    LookupError,
    TypeError,
    SyntaxError,
    EOFError,
    MemoryError,
    OSError,
)
"""What `zipfile` and NumPy raise on damaged files, beside ValueError."""


def read_npz(path: str | Path, most_bytes: int = MOST_BYTES) -> dict[str, np.ndarray]:
    """The arrays of a file that `numpy.savez` wrote, by name.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is no such file, is damaged, or unpacks to more than `most_bytes`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(names) < len(entries) or len(entries) > _MOST_ARRAYS:
                raise ValueError("a name is there twice, or there are too many")
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > most_bytes:
                raise ValueError(f"unpacks to {unpacked:,} bytes, more than {most_bytes:,}")
            # `read` gives at most the declared size.
            return {
                entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries
            }
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


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


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    content = archive.read(entry)
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):  # what NumPy writes unless a structured header is longer than 64 KiB
        raise ValueError(f"array {entry.filename} has version {version}")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    start = stream.tell()
    expected = dtype.itemsize
    for size in shape:
        expected *= size
    if dtype.kind not in _KINDS or min(shape, default=0) < 0 or len(content) - start != expected:
        raise ValueError(f"array {entry.filename} of {dtype} {shape} has {len(content)} bytes")
    if expected == 0:
        return np.empty(shape, dtype)
    values = np.frombuffer(content, dtype, offset=start)
    if dtype.kind == "U" and values.view(dtype.byteorder + "u4").max() > sys.maxunicode:
        raise ValueError(f"array {entry.filename} holds no text")
    return values.reshape(shape, order="F" if fortran else "C")
