import pytest

from dcase_system.corpora.extract import extract
from dcase_system.errors import InputError
from tests.corpora.archives import zipped


def write_zip(tmp_path, *args):
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped(*args))
    return path


def test_an_archive_is_unpacked_with_its_folders(tmp_path):
    archive = write_zip(tmp_path, {"c/": b"", "c/audio/x.wav": b"x" * 10, "c/meta.csv": b"m"})
    seen = []
    extract(archive, tmp_path / "out", progress=lambda *what: seen.append(what))
    assert (tmp_path / "out" / "c" / "audio" / "x.wav").read_bytes() == b"x" * 10
    assert seen == [(10, 11), (11, 11)]


@pytest.mark.parametrize(
    "name", ["../evil", "c/../../evil", "/evil", "\\evil", "c\\..\\evil", "C:evil", "c/../evil"]
)
def test_nothing_is_unpacked_outside_the_folder(tmp_path, name):
    archive = write_zip(tmp_path, {"c/good": b"x", name: b"x"})
    with pytest.raises(InputError, match="lies outside the folder"):
        extract(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["archive.zip"]


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o060644])
def test_links_and_devices_are_not_unpacked(tmp_path, mode):
    archive = write_zip(tmp_path, {"c/good": b"x", "c/link": b"/etc"}, {"c/link": mode})
    with pytest.raises(InputError, match="not a plain file; received 'c/link'"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path):
    archive = write_zip(tmp_path, {"c/zeros": bytes(100_000)})
    with pytest.raises(InputError, match="expected at most 99999 bytes; received 100000 bytes"):
        extract(archive, tmp_path / "out", size_limit_bytes=99_999)
    extract(archive, tmp_path / "out", size_limit_bytes=100_000)


@pytest.mark.parametrize("damage", [slice(0, 100), slice(0, 0)])
def test_a_damaged_archive_is_refused(tmp_path, damage):
    whole = zipped({"c/x": bytes(range(256)) * 9, "c/y": b"y"})
    path = tmp_path / "archive.zip"
    path.write_bytes(whole[damage])
    with pytest.raises(InputError, match=r"archive\.zip: not a usable zip archive"):
        extract(path, tmp_path / "out")


def test_a_member_that_fails_its_check_is_refused(tmp_path):
    data = bytearray(zipped({"c/x": b"abc" * 99}))
    data[30 + len("c/x")] ^= 0xFF  # the first byte after the local header
    path = tmp_path / "archive.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a usable zip archive"):
        extract(path, tmp_path / "out")
