import hashlib

import pytest

from dcase_system.core.errors import InputError
from dcase_system.corpora import fetch as fetch_module
from dcase_system.corpora.fetch import fetch
from dcase_system.corpora.registry import RemoteFile
from tests.corpora.archives import serving

CONTENT = bytes(range(256)) * 4_000
BLOB = b"filename\tscene_label\naudio/x.wav\ttram\n"
BLOB_ID = "0dc2170de33467c023529492453de6fd6fb5829d"


@pytest.fixture
def server():
    with serving() as server:
        server.files["a.zip"] = CONTENT
        yield server


@pytest.fixture(autouse=True)
def quick_and_fine_grained(monkeypatch):
    # What arrived of a chunk is lost when the connection drops: here all cuts are between chunks.
    monkeypatch.setattr(fetch_module, "_CHUNK_BYTES", 1_000)
    monkeypatch.setattr(fetch_module, "_PAUSE_SECONDS", 0.0)


def remote(server, name="a.zip", content=CONTENT):
    return RemoteFile("a", name, server.url(name), hashlib.md5(content).hexdigest())


def ranges(server):
    return [wanted for _, wanted in server.requests]


def test_a_file_is_fetched_once(server, tmp_path):
    seen = []
    path = fetch(remote(server), tmp_path / "cache", lambda *what: seen.append(what))
    assert path == tmp_path / "cache" / "a.zip"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == ("fetching a.zip", len(CONTENT), len(CONTENT))
    fetch(remote(server), tmp_path / "cache")
    assert ranges(server) == [None]
    assert [p.name for p in path.parent.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("have", [1, 4_096, 1_000_000, len(CONTENT) - 1])
def test_a_partial_file_is_resumed_where_it_ends(server, tmp_path, have):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:have])
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert ranges(server) == [f"bytes={have}-"]


def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path):
    server.resumable = False
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:5_000])
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_whole_partial_file_is_taken_over(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert ranges(server) == [f"bytes={len(CONTENT)}-"]


def test_a_partial_file_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert ranges(server) == [f"bytes={len(CONTENT) + 4}-", None]


def test_a_dropped_connection_is_taken_up_again(server, tmp_path):
    server.cut_after = [300_000, 200_000]
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=300000-", "bytes=500000-"]


def test_a_connection_that_brings_nothing_is_given_up_but_not_its_bytes(server, tmp_path):
    server.cut_after = [300_000, 0]
    with pytest.raises(InputError, match=r"a\.zip: could not be fetched"):
        fetch(remote(server), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip.part"]
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=300000-", "bytes=300000-"]


def test_a_drop_that_cannot_be_resumed_ends(server, tmp_path):
    server.resumable = False
    server.cut_after = [1_000] * 10
    with pytest.raises(InputError, match="could not be fetched"):
        fetch(remote(server), tmp_path)
    assert len(server.requests) == 2


def test_a_wrong_checksum_leaves_nothing_behind(server, tmp_path):
    with pytest.raises(InputError) as failure:
        fetch(remote(server, content=b"something else"), tmp_path)
    assert "fetched file is damaged or has changed" in str(failure.value)
    assert "\n" not in str(failure.value)
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_another_file_does_not_pass_for_whole(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(b"x" * 5_000)
    with pytest.raises(InputError, match="damaged"):
        fetch(remote(server), tmp_path)
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_file_with_other_content_is_replaced(server, tmp_path):
    (tmp_path / "a.zip").write_bytes(CONTENT[:-1])
    assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("served", [BLOB, BLOB + b"x"])
def test_a_list_may_be_known_by_its_git_blob_only(server, tmp_path, served):
    server.files["split.csv"] = served
    file = RemoteFile("split", "split.csv", server.url("split.csv"), BLOB_ID, "git-blob")
    if served == BLOB:
        (tmp_path / "split.csv").write_bytes(b"something else")
        assert fetch(file, tmp_path).read_bytes() == BLOB
        fetch(file, tmp_path)
        assert len(server.requests) == 1
    else:
        with pytest.raises(InputError, match=f"damaged.*expected git-blob {BLOB_ID}"):
            fetch(file, tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_a_missing_file_and_a_missing_server_are_named(server, tmp_path):
    with pytest.raises(InputError, match=r"b\.zip: could not be fetched \(404"):
        fetch(remote(server, "b.zip"), tmp_path)
    nobody = RemoteFile("a", "a.zip", "http://127.0.0.1:9/a.zip", "0" * 32)
    with pytest.raises(InputError, match=r"a\.zip: could not be fetched"):
        fetch(nobody, tmp_path)
