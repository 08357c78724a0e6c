"""Unpacking a downloaded zip archive, trusting nothing that is written in it."""

import errno
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from dcase_system.errors import InputError

SIZE_LIMIT_BYTES = 16 * 10**9
"""No archive of the corpora unpacks to more; the largest hold about 2 GB of audio."""

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,  # how zipfile says that a member is encrypted; also NotImplementedError
    ValueError,
    OverflowError,
    LookupError,
    EOFError,
)
"""What `zipfile` raises on damaged archives, beside OSError."""

_CHUNK_BYTES = 1 << 20
_LONGEST_NAME = 255  # bytes of a part of a path, that most file systems take


def extract(
    archive: Path,
    target: Path,
    *,
    size_limit_bytes: int = SIZE_LIMIT_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Unpacks a zip archive below `target`; files that are already there are overwritten.

    Nothing is written unless every member is harmless.

    Args:
        archive: the zip file.
        target: folder to unpack to, made if missing.
        size_limit_bytes: most that the members may take unpacked, together.
        progress: called with (bytes written, bytes in all) after each member.

    Raises:
        InputError: not a zip file, or damaged or encrypted; a member is a link, lies outside
            `target` or is there twice, or all are larger than the limit.
    """
    try:
        with zipfile.ZipFile(archive) as members:
            files = [member for member in members.infolist() if not member.is_dir()]
            total = sum(member.file_size for member in files)
            if total > size_limit_bytes:
                raise InputError(
                    "archive unpacks to too much",
                    where=archive,
                    expected=f"at most {size_limit_bytes} bytes",
                    received=f"{total} bytes",
                )
            paths = [target / _checked_path(member, archive) for member in files]
            _refuse_repeated(paths, archive)
            done = 0
            for member, path in zip(files, paths, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(members, member, path)
                done += member.file_size
                if progress is not None:
                    progress(done, total)
    except DAMAGE as error:
        raise InputError(f"not a usable zip archive ({error})", where=archive) from error
    except OSError as error:
        # Of a place in the archive that is before its beginning; all others name a file.
        if error.errno != errno.EINVAL or error.filename is not None:
            raise
        raise InputError("not a usable zip archive (wrong offset)", where=archive) from error


def _checked_path(member: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    path = PurePosixPath(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    # Archives from systems without file types store no type at all.
    if kind not in (0, stat.S_IFREG):
        raise InputError(
            "archive member is not a plain file", where=archive, received=repr(member.filename)
        )
    if path.is_absolute() or ".." in path.parts or any(c in member.filename for c in "\\:\0"):
        raise InputError(
            "archive member lies outside the folder", where=archive, received=repr(member.filename)
        )
    if not path.parts or any(len(part.encode()) > _LONGEST_NAME for part in path.parts):
        raise InputError(
            "archive member has no name that a file can have",
            where=archive,
            received=repr(member.filename),
        )
    return path


def _refuse_repeated(paths: Sequence[Path], archive: Path) -> None:
    """Refuses a name that is there twice, or that is a file and a folder at the same time."""
    seen = set(paths)
    folders = {parent for path in paths for parent in path.parents}
    if len(seen) < len(paths) or seen & folders:
        raise InputError("two archive members have one name", where=archive)


def _write(members: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    # zipfile hands out at most the declared size and checks the CRC at the end, so the limit
    # on declared sizes holds for what is really written.
    with members.open(member) as source, path.open("wb") as sink:
        while chunk := source.read(_CHUNK_BYTES):
            sink.write(chunk)
