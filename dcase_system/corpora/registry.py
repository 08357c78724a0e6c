"""URLs and checksums of the archives of the DCASE corpora."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RemoteFile:
    """One file of a corpus on a server.

    Attributes:
        part: Name on the command line, such as `audio.1` or `split5`.
        name: File name, in the cache or in the corpus.
        url: URL of the file.
        checksum: Hexadecimal checksum of the content.
        algorithm: `md5`, or `git-blob` for the SHA-1 by which git names the content.
    """

    part: str
    name: str
    url: str
    checksum: str
    algorithm: Literal["md5", "git-blob"] = "md5"


@dataclass(frozen=True)
class RemoteCorpus:
    """A published corpus.

    Attributes:
        name: Name on the command line.
        folder: Folder that its archives unpack to.
        archives: Zip files, each with paths that begin with `folder`.
        lists: Lists of clips, stored unchanged in `folder`/split_setup.
    """

    name: str
    folder: str
    archives: tuple[RemoteFile, ...]
    lists: tuple[RemoteFile, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of everything that can be downloaded: the small files first."""
        return tuple(file.part for file in self.lists + self.archives)


_DEVELOPMENT_2022 = "TAU-urban-acoustic-scenes-2022-mobile-development"
_ZENODO_2022 = "https://zenodo.org/records/6337421/files"
_BASELINE_2024 = "https://github.com/CPJKU/dcase2024_task1_baseline/releases/download/files"

_ARCHIVES_2022 = {
    "meta": "419b6ff6570f1030730352dc80cd8d15",
    "doc": "9c4f610bdb5d3e3e72a17d393a26452a",
    "audio.1": "8be14bdbd844481dce059ab31fbd2239",
    "audio.2": "e821abda49b069248bb75eab39df7575",
    "audio.3": "9c7897f78bb42ca0008936daddf3f8f3",
    "audio.4": "53ec3e37c0fc0be75f53c5abbc5300b8",
    "audio.5": "528422c33c5d10263203d2c61cb1f3be",
    "audio.6": "4759a9465c903e13e57d5e82e791fc28",
    "audio.7": "6d545fc83a55a17856a9ccc1ac9aff6b",
    "audio.8": "3a2916a9b5d3f43cc7a22a62b180b0d9",
    "audio.9": "071f664c86639ad730f7be4e3c39d886",
    "audio.10": "e0839d019e9b77ecbcbb0eff85965530",
    "audio.11": "fc60f1c83726be3963ae14fbcb95eeb4",
    "audio.12": "02246547f86c0a814dc63ec65d7033bb",
    "audio.13": "88ae9ef884665140d1572d8061725e00",
    "audio.14": "c3f400d74ae90e5190dc518cde43de47",
    "audio.15": "85594c6fe4f91c10aa2a410f748103b8",
    "audio.16": "6e2df8438c69f6789414aeba8cbad9d8",
}
_LISTS_2024 = {
    "split5": "ad379c595bdb2387153753cc5b584820",
    "split10": "5d109ac5a9a8ef25de1efd4affb0e3ad",
    "split25": "59a6832353e5f0771fab14d461e79a57",
    "split50": "eef2068406a24ab119847462dc9fe067",
    "test": "b004a563a8320fb4152c5479abfc442e",
}
# No MD5 of split100.csv is known, but git repositories that hold the file give its blob hash.
_SPLIT100 = RemoteFile(
    part="split100",
    name="split100.csv",
    url=f"{_BASELINE_2024}/split100.csv",
    checksum="96ae6f1c767395b640696ec73224f3b931f8e904",
    algorithm="git-blob",
)


def _archive(part: str, md5: str) -> RemoteFile:
    name = f"{_DEVELOPMENT_2022}.{part}.zip"
    return RemoteFile(part, name, f"{_ZENODO_2022}/{name}?download=1", md5)


def _list(part: str, md5: str) -> RemoteFile:
    return RemoteFile(part, f"{part}.csv", f"{_BASELINE_2024}/{part}.csv", md5)


TAU2022_DEVELOPMENT = RemoteCorpus(
    name="tau2022_development",
    folder=_DEVELOPMENT_2022,
    archives=tuple(_archive(part, md5) for part, md5 in _ARCHIVES_2022.items()),
    lists=(*(_list(part, md5) for part, md5 in _LISTS_2024.items()), _SPLIT100),
)
"""TAU Urban Acoustic Scenes 2022 Mobile, development (Zenodo record 6337421, about 26 GB of
archives and 30 GB of audio), with the split lists of the DCASE 2024 Task 1 baseline."""

CORPORA = {TAU2022_DEVELOPMENT.name: TAU2022_DEVELOPMENT}
