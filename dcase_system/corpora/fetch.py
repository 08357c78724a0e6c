"""Downloads one file over HTTP, with resuming and a checksum."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

from dcase_system.core.errors import InputError
from dcase_system.corpora.registry import RemoteFile

Progress = Callable[[str, int, int | None], None]
"""Called with the current activity, the bytes done, and the total bytes (None if unknown)."""

_CHUNK_BYTES = 1 << 16
_TIMEOUT_SECONDS = 60
_PAUSE_SECONDS = 1.0
_DROPPED = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


def fetch(file: RemoteFile, folder: Path, progress: Progress | None = None) -> Path:
    """Downloads a file into `folder` unless it exists with the right checksum.

    Returns:
        The path of the complete, verified file. Until then the bytes are in `<name>.part`, from
        which an interrupted transfer resumes.

    Raises:
        InputError: The server cannot be reached or refuses, or the checksum is wrong.
    """
    path = folder / file.name
    if path.is_file() and _checksum(path, file.algorithm) == file.checksum:
        return path
    # Without a checksum, pooch would keep an existing file.
    path.unlink(missing_ok=True)
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"md5:{file.checksum}" if file.algorithm == "md5" else None,
            fname=file.name,
            path=folder,
            downloader=ResumingDownloader(file, path.with_name(f"{file.name}.part"), progress),
        )
    except requests.RequestException as error:
        raise InputError(f"could not be fetched ({error})", where=file.url) from error
    except ValueError as error:
        raise InputError(
            f"fetched file is damaged or has changed ({error})",
            where=file.url,
            expected=f"{file.algorithm} {file.checksum}",
        ) from error
    return path


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader for pooch that keeps partial files and requests only the remaining bytes.

    pooch itself downloads to a temporary file and deletes it on any error, so a connection dropped
    at 1.5 GB would cost all of it. Here pooch receives only complete transfers, verifies them and
    moves them to their final name.

    Attributes:
        file: File to download.
        part: Path of the partial file.
        progress: Called after each chunk.
    """

    file: RemoteFile
    part: Path
    progress: Progress | None = None

    def __call__(self, url: str, output_file: str, _: pooch.Pooch | None) -> None:
        before = self._bytes_here()
        while True:
            try:
                self._transfer(url)
                break
            except _DROPPED:
                # Try again as long as each attempt brings more bytes.
                if self._bytes_here() <= before:
                    raise
                before = self._bytes_here()
                time.sleep(_PAUSE_SECONDS)
        if self.file.algorithm == "git-blob":  # which pooch cannot check
            received = _checksum(self.part, "git-blob")
            if received != self.file.checksum:
                self.part.unlink()
                raise ValueError(f"git blob {received}")
        self.part.replace(output_file)

    def _bytes_here(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _transfer(self, url: str) -> None:
        """Completes the partial file; keeps the bytes so far if it fails."""
        done = self._bytes_here()
        # Without `identity` a list could arrive compressed, and byte offsets would be wrong.
        headers = {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
            if done and response.status_code == requests.codes.requested_range_not_satisfiable:
                # The transfer was complete already, unless the part is of another file.
                if response.headers.get("Content-Range") != f"bytes */{done}":
                    self.part.unlink()
                    self._transfer(url)
                return
            response.raise_for_status()
            if response.status_code != requests.codes.partial_content:
                done = 0  # the server sends everything again
            left = response.headers.get("Content-Length")
            total = done + int(left) if left else None
            with self.part.open("ab" if done else "wb") as stream:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    stream.write(chunk)
                    done += len(chunk)
                    if self.progress is not None:
                        self.progress(f"fetching {self.file.name}", done, total)


def _checksum(path: Path, algorithm: str) -> str:
    if algorithm == "md5":
        return str(pooch.file_hash(str(path), alg="md5"))
    # The output of `git hash-object`. Only small lists are checked this way.
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
