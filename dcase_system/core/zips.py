"""What `zipfile` raises on damaged or hostile archives."""

import struct
import zipfile
import zlib

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    RuntimeError,  # also NotImplementedError: encryption, unknown methods and versions
    ValueError,  # also UnicodeDecodeError: a name that is not in its declared encoding
    ArithmeticError,
    LookupError,
    EOFError,
    OSError,
)
