"""Writes files atomically: under a temporary name first, with a rename at the end."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

_PARTIAL = ".partial-"


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; renames it to `path` if the block succeeds.

    If the block fails (full disk, interrupt), the temporary file is removed and an existing file
    at `path` stays untouched. The temporary keeps the suffixes of `path`, because some writers
    choose the format by them. Temporaries that a killed process left beside `path` are removed.
    """
    path = Path(path)
    with _temporary(path, _new_file) as temporary:
        yield temporary
        _sync(temporary)
        # mkstemp makes private files; results should follow the user's umask.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync(path.parent)


@contextmanager
def replacing_directory(path: str | Path) -> Iterator[Path]:
    """Yields a temporary directory beside `path`; replaces `path` with it at the end."""
    path = Path(path)
    with _temporary(path, _new_directory) as temporary:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for written in (*temporary.rglob("*"), temporary):
            _sync(written)
        with _temporary(path, _new_directory) as old:
            # Moved away before removal: half removed in place, it could pass for complete.
            if path.exists():
                path.replace(old)
            temporary.replace(path)
        _sync(path.parent)


def emptied(folder: Path, keep: str, last: str) -> None:
    """Empties a folder; if killed half way, each entry is either complete or gone.

    Args:
        folder: Folder to empty.
        keep: Name of the entry to keep.
        last: Name of the entry to remove last.
    """
    found = [path for path in folder.iterdir() if path.name != keep and not is_temporary(path)]
    with _temporary(folder / last, _new_directory) as removed:
        for path in sorted(found, key=lambda path: (path.name == last, path.name)):
            path.replace(removed / path.name)


def is_temporary(path: Path) -> bool:
    """Whether this is a temporary that a process is writing, or left when it was killed."""
    return path.name.startswith(_PARTIAL)


@contextmanager
def _temporary(path: Path, make: Callable[[Path], Path]) -> Iterator[Path]:
    """Yields a new file or directory beside `path`; removes it at the end unless renamed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(path.parent)
        temporary, handle = _new_locked(path, make)
        try:
            yield temporary
        finally:
            _remove(temporary)
            os.close(handle)
    except OSError as error:
        raise _named(error, path) from error


def _new_locked(path: Path, make: Callable[[Path], Path]) -> tuple[Path, int]:
    """Makes a temporary and a handle that locks it, so that no other process removes it."""
    # The lock is on the temporary itself, file or folder; filelock would need a second file.
    while True:
        temporary = make(path)
        try:
            handle = _opened(temporary)
        except FileNotFoundError:
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        if temporary.exists():  # nobody removed it before it was locked
            return temporary, handle
        os.close(handle)


def _opened(path: Path) -> int:
    """Opens a handle to lock; network disks lock a file only if it is open for writing."""
    how = os.O_RDONLY if path.is_dir() else os.O_RDWR
    return os.open(path, how | os.O_NOFOLLOW)


def _new_file(path: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix=_PARTIAL, suffix="".join(path.suffixes), dir=path.parent)
    os.close(handle)
    return Path(name)


def _new_directory(path: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=path.parent))


def _remove_left_behind(folder: Path) -> None:
    """Removes the temporaries of dead processes, whose locks are released."""
    for path in folder.glob(f"{_PARTIAL}*"):
        # Fails if another process is using it or removed it first, or if it is another user's.
        with suppress(OSError):
            handle = _opened(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
            finally:
                os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Syncs a file or a directory's entries to disk, so that they survive a crash."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: str | Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Holds an exclusive lock on a file; `on_wait` is called before waiting for another process.

    `on_wait` may raise instead, to refuse. The lock is released with the process, however it ends.

    Args:
        path: Lock file, created if missing.
        on_wait: Called before waiting.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def write_text(path: str | Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: str | Path) -> Any:
    """Reads a JSON file.

    Raises:
        OSError: The file cannot be read.
        ValueError: The content is not JSON in UTF-8, or nested too deeply.
    """
    return parse_json(Path(path).read_bytes())


def parse_json(content: str | bytes) -> Any:
    """Parses a JSON text from outside.

    Raises:
        ValueError: The text is not JSON in UTF-8, or nested too deeply.
    """
    try:
        return json.loads(content if isinstance(content, str) else content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def fingerprint(value: Any) -> str:
    """SHA-256 of a JSON-serialisable value, independent of the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's content."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _named(error: OSError, path: Path) -> OSError:
    """Adds a file name to an error without one, such as that of a stream on a full disk."""
    if error.filename is not None or error.errno is None:
        return error
    return OSError(error.errno, error.strerror, str(path))


def _umask() -> int:
    # The only portable way to read the umask is to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
