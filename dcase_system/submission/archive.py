"""Opens packages that may be damaged or hostile."""

import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from dcase_system.core.errors import InputError, defect, shown
from dcase_system.core.zips import ZIP_ERRORS

MAX_PACKAGE_BYTES = 1 << 30
"""Four systems with five output files of 18 MB are 370 MB even when stored uncompressed."""

MAX_ENTRIES = 200
"""Four systems have 24 files; the rest is room for directories and mistakes to report."""

_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:")


def open_package(path: str | Path) -> zipfile.ZipFile:
    """Opens a package for reading.

    Raises:
        InputError: It is missing, too large, not a zip, or has too many entries.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("package is missing or not a file", where=path)
    size = path.stat().st_size
    if size > MAX_PACKAGE_BYTES:
        raise InputError(
            "package is too large",
            where=path,
            expected=f"at most {MAX_PACKAGE_BYTES:,} bytes",
            received=size,
        )
    try:
        archive = zipfile.ZipFile(path)
    except ZIP_ERRORS as error:
        raise InputError(
            f"not a zip file that can be read ({_reason(error)})", where=path
        ) from error
    entries = len(archive.infolist())
    if not 1 <= entries <= MAX_ENTRIES:
        archive.close()
        raise InputError(
            "wrong number of entries", where=path, expected=f"1 to {MAX_ENTRIES}", received=entries
        )
    return archive


def unsafe_defects(entry: zipfile.ZipInfo) -> Iterator[str]:
    """Yields one line for each reason not to unpack an entry."""
    where = printable(entry.filename)
    name, mode = entry.orig_filename, entry.external_attr >> 16
    if "\\" in name:
        yield defect(
            where, "name has a backslash", expected="forward slashes", received=shown(name)
        )
    if "\0" in name or not name.isprintable():
        yield defect(where, "name has characters that cannot be printed", received=shown(name))
    if name.startswith(("/", "\\")) or _WINDOWS_DRIVE.match(name):
        yield defect(
            where, "name is absolute", expected="a path below task1/", received=shown(name)
        )
    if any(part in ("", ".", "..") for part in name.removesuffix("/").strip("/").split("/")):
        yield defect(where, "name points outside its folder or is malformed", received=shown(name))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
        yield defect(where, f"entry is {what}")
    if entry.flag_bits & 0x1:
        yield defect(where, "entry is encrypted")
    # With other methods, a few bytes can unpack to any size at once.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield defect(where, "unknown compression", expected="stored or deflated")


def oversize(entry: zipfile.ZipInfo, limit: int) -> str | None:
    """Returns a defect if the entry would unpack to more than `limit` bytes.

    `zipfile` never returns more than the declared size, so a false size is harmless.
    """
    if entry.file_size <= limit:
        return None
    return defect(
        printable(entry.filename),
        "unpacks to too much",
        expected=f"at most {limit:,} bytes",
        received=f"{entry.file_size:,}",
    )


def damage(entry: zipfile.ZipInfo, error: Exception) -> str:
    """Returns the defect of an entry that `zipfile` could not read to the end."""
    return defect(printable(entry.filename), f"entry is damaged ({_reason(error)})")


def printable(name: str) -> str:
    """Returns an entry's name if it is short plain text, otherwise quoted with escapes."""
    return name if name.isascii() and name.isprintable() and len(name) <= 160 else shown(name)


def _reason(error: Exception) -> str:
    return shown(str(error) or type(error).__name__)
