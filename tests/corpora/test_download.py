import hashlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from dcase_system.core.errors import InputError
from dcase_system.corpora.download import download, unpack
from dcase_system.corpora.registry import TAU2022_DEVELOPMENT, RemoteCorpus, RemoteFile
from tests.corpora.archives import serving, zipped


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def published(server):
    """A corpus of two archives and a list, on the server."""
    server.files = {
        "c.meta.zip": zipped({"c/meta.csv": b"meta"}),
        "c.audio.1.zip": zipped({"c/audio/x.wav": b"sound"}),
        "split5.csv": b"filename\tscene_label\n",
    }

    def file(part, name):
        content = server.files[name]
        return RemoteFile(part, name, server.url(name), hashlib.md5(content).hexdigest())

    return RemoteCorpus(
        name="c",
        folder="c",
        archives=(file("meta", "c.meta.zip"), file("audio.1", "c.audio.1.zip")),
        lists=(file("split5", "split5.csv"),),
    )


def test_a_corpus_ends_in_one_folder(published, tmp_path):
    seen = set()
    folder = download(published, tmp_path, progress=lambda what, *_: seen.add(what))
    assert folder == tmp_path / "c"
    assert (folder / "meta.csv").read_bytes() == b"meta"
    assert (folder / "audio" / "x.wav").read_bytes() == b"sound"
    assert (folder / "split_setup" / "split5.csv").is_file()
    assert {"fetching split5.csv", "unpacking c.audio.1.zip"} <= seen


def test_what_is_done_is_not_done_again(published, server, tmp_path):
    download(published, tmp_path, cache=tmp_path / "cache")
    for archive in (tmp_path / "cache").iterdir():
        archive.unlink()
    (tmp_path / "c" / "meta.csv").write_text("edited")
    before = len(server.requests)
    download(published, tmp_path, cache=tmp_path / "cache")
    assert len(server.requests) == before
    assert (tmp_path / "c" / "meta.csv").read_text() == "edited"


def test_an_interrupted_extraction_is_repeated(published, server, tmp_path, monkeypatch):
    def interrupt(what, *_):
        if what.startswith("unpacking"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(published, tmp_path, parts=["meta"], progress=interrupt)
    (tmp_path / "c" / "meta.csv").write_text("me")  # as half a file would be
    assert (download(published, tmp_path, parts=["meta"]) / "meta.csv").read_bytes() == b"meta"
    assert [name for name, _ in server.requests] == ["c.meta.zip"]


def test_only_wanted_parts_are_fetched(published, server, tmp_path):
    download(published, tmp_path, parts=["audio.1"])
    assert [name for name, _ in server.requests] == ["c.audio.1.zip"]
    with pytest.raises(InputError, match=r"expected some of split5, meta, audio.1; received audio"):
        download(published, tmp_path, parts=["meta", "audio"])


def written(tmp_path, *args):
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped(*args))
    return path


def test_an_archive_is_unpacked_with_its_folders_and_the_bar_moves(tmp_path):
    archive = written(tmp_path, {"c/": b"", "c/audio/x.wav": b"x" * 10, "c/meta.csv": b"m"})
    seen = []
    unpack(archive, tmp_path / "out", lambda *what: seen.append(what[1:]))
    assert (tmp_path / "out" / "c" / "audio" / "x.wav").read_bytes() == b"x" * 10
    assert seen == [(0, 11), (10, 11), (11, 11)]


@pytest.mark.parametrize(
    "name", ["../evil", "c/../../evil", "/evil", "\\evil", "c\\..\\evil", "C:evil", "c/../evil"]
)
@pytest.mark.parametrize("mode", [0o100644, 0o120777, 0o010644])
def test_nothing_is_unpacked_outside_the_folder_and_nothing_is_a_link(tmp_path, name, mode):
    archive = written(tmp_path, {"c/good": b"x", name: b"/etc"}, {name: mode})
    unpack(archive, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"archive.zip", "out"}
    found = [path for path in (tmp_path / "out").rglob("*") if not path.is_dir()]
    assert len(found) == 2
    assert all(path.is_file() and not path.is_symlink() for path in found)


@pytest.mark.parametrize("name", [".", ".."])
def test_a_member_without_a_name_is_refused(tmp_path, name):
    archive = written(tmp_path, {name: b"x"})
    reason = r"(\[Errno 21\] Is a directory|Empty filename)"  # of Python 3.11 and of 3.13
    with pytest.raises(InputError, match=rf"cannot be unpacked \({reason}"):
        unpack(archive, tmp_path / "out")


def test_a_damaged_archive_is_refused(tmp_path):
    whole = zipped({"c/x": b"abc" * 99, "c/y": b"y"})
    changed = bytearray(whole)
    changed[30 + len("c/x")] ^= 0xFF  # the first byte after the local header
    path = tmp_path / "archive.zip"
    for content in (whole[:100], b"", bytes(changed)):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"archive\.zip: archive cannot be unpacked \("):
            unpack(path, tmp_path / "out")


def test_the_registry_is_that_of_tau_2022():
    corpus = TAU2022_DEVELOPMENT
    assert corpus.folder == "TAU-urban-acoustic-scenes-2022-mobile-development"
    assert len(corpus.archives) == 18
    assert len({file.checksum for file in corpus.archives + corpus.lists}) == 24
    assert len(corpus.parts) == len(set(corpus.parts)) == 24
    for file in corpus.archives + corpus.lists:
        assert len(file.checksum) == {"md5": 32, "git-blob": 40}[file.algorithm]
        assert file.url.startswith("https://")
        assert file.name in file.url
    assert {file.part for file in corpus.lists} == {
        "split5",
        "split10",
        "split25",
        "split50",
        "split100",
        "test",
    }


COMMAND = """
import signal, sys
from dcase_system.core import cli
from dcase_system.corpora import download
from dcase_system.corpora.registry import RemoteCorpus, RemoteFile
# pytest may run where Ctrl-C is ignored, and a child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
download.CORPORA["tau2022_development"] = {corpus!r}
download.define_flags()
cli.run(download.main)
"""


def start(corpus, *flags):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(corpus=corpus), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_prints_the_folder(published, tmp_path):
    process = start(published, f"--directory={tmp_path}")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, f"{tmp_path / 'c'}\n", "")


def test_the_command_ends_in_one_line(published, server, tmp_path):
    server.files["c.meta.zip"] = b"something else"
    process = start(published, f"--directory={tmp_path}", "--parts=meta,split5")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith(f"error: {server.url('c.meta.zip')}: fetched file is damaged")
    assert errors.count("\n") == 1


def test_an_interrupted_command_says_so_and_can_be_repeated(published, server, tmp_path):
    server.cut_after, server.stall = [10], threading.Event()
    process = start(published, f"--directory={tmp_path}", "--parts=meta")
    part = tmp_path / "archives" / "c.meta.zip.part"
    deadline = time.monotonic() + 30
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    *before, last = errors.splitlines()
    assert "interrupted" in last
    assert set(before) <= {"stopping ..."}  # a thread says it, if the command has not ended first
    assert (download(published, tmp_path) / "meta.csv").read_bytes() == b"meta"
