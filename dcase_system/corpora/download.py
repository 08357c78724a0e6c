"""Downloads a published corpus: resumable, verified, and unpacked to one folder.

    python -m dcase_system.corpora.download --directory=DIR --parts=meta,split5

If interrupted, run the same command again: it resumes and repeats no finished work.
"""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pooch
from absl import flags
from tqdm import tqdm

from dcase_system.core import cli
from dcase_system.core.errors import InputError
from dcase_system.core.files import write_text
from dcase_system.core.zips import ZIP_ERRORS
from dcase_system.corpora.fetch import Progress, fetch
from dcase_system.corpora.registry import CORPORA, TAU2022_DEVELOPMENT, RemoteCorpus


def download(
    corpus: RemoteCorpus,
    directory: Path,
    *,
    parts: Iterable[str] | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Downloads a corpus, or some parts of it, and unpacks it.

    May be interrupted and run again at any time without repeating finished work. An archive may
    be deleted from the cache once it is unpacked.

    Args:
        corpus: Corpus to download.
        directory: Parent of the corpus folder.
        parts: Some of `corpus.parts`; all by default.
        cache: Folder for the archives, by default `directory`/archives.
        progress: Called as bytes are fetched and unpacked.

    Returns:
        The folder of the corpus.

    Raises:
        InputError: A part is unknown, a file cannot be fetched or has a wrong checksum, or an
            archive cannot be unpacked.
        OSError: Writing failed.
    """
    wanted = corpus.parts if parts is None else tuple(parts)
    for part in wanted:
        if part not in corpus.parts:
            raise InputError(
                "unknown part",
                where=corpus.name,
                expected="some of " + ", ".join(corpus.parts),
                received=part,
            )
    folder = directory / corpus.folder
    for file in corpus.lists:
        if file.part in wanted:
            fetch(file, folder / "split_setup", progress)
    for file in corpus.archives:
        marker = folder / ".unpacked" / file.name
        if file.part in wanted and not _says(marker, file.checksum):
            archive = fetch(file, cache or directory / "archives", progress)
            unpack(archive, directory, progress)
            write_text(marker, file.checksum + "\n")
    return folder


def _says(marker: Path, checksum: str) -> bool:
    return marker.is_file() and marker.read_text(encoding="utf-8").strip() == checksum


def unpack(archive: Path, directory: Path, progress: Progress | None = None) -> None:
    """Unpacks a zip archive; overwrites existing files.

    `zipfile` writes only below the folder, whatever the names in the archive are, makes no links
    and verifies checksums. pooch also uses `zipfile`, but shows no progress and afterwards lists
    the whole folder.

    Args:
        archive: The zip file.
        directory: Target folder, created if missing.
        progress: Called after each member.

    Raises:
        InputError: The file is not a zip archive, is damaged or encrypted, or cannot be unpacked
            there.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            # Without the folder, a member with an empty name would become a file in its place.
            directory.mkdir(parents=True, exist_ok=True)
            members = source.infolist()
            done, total = 0, sum(member.file_size for member in members)
            for member in members:
                source.extract(member, directory)
                done += member.file_size
                if progress is not None:
                    progress(f"unpacking {archive.name}", done, total)
    except ZIP_ERRORS as error:
        raise InputError(f"archive cannot be unpacked ({error})", where=archive) from error


class _ProgressBar:
    """Shows one bar per activity, on a terminal only."""

    def __init__(self) -> None:
        self._what = ""
        self._bar: tqdm | None = None

    def __call__(self, what: str, done: int, total: int | None) -> None:
        if self._bar is None or what != self._what:
            self.close()
            self._what = what
            self._bar = tqdm(
                desc=what, total=total, initial=done, unit="B", unit_scale=True, disable=None
            )
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def main(_: Sequence[str]) -> None:
    """Runs the command: prints the folder of the corpus when the download is complete."""
    values = flags.FLAGS
    bar = _ProgressBar()
    pooch.get_logger().setLevel("WARNING")
    try:
        folder = download(
            CORPORA[values.set],
            Path(values.directory),
            parts=values.parts or None,
            cache=Path(values.cache) if values.cache else None,
            progress=bar,
        )
    finally:
        bar.close()
    print(folder)


def define_flags() -> None:
    """Defines the flags of the command: only when it runs, as this module is also imported."""
    flags.DEFINE_string("directory", None, "FOLDER: Parent of the corpus folder.", required=True)
    flags.DEFINE_enum("set", TAU2022_DEVELOPMENT.name, list(CORPORA), "Corpus to download.")
    flags.DEFINE_list("parts", None, "NAME: Parts to download, such as meta,split5,audio.1. [all]")
    flags.DEFINE_string("cache", None, "FOLDER: Where archives are kept. [archives in --directory]")


if __name__ == "__main__":
    define_flags()
    cli.run(main)
