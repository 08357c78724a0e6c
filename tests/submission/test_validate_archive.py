"""Defects of layout and zip, one case each: rejected, with the entry."""

import stat
import zipfile
from pathlib import Path

import pytest

from dcase_system.submission.validate import validate_package

LABEL = "Lind_NIS_task1_1"
FOLDER = f"task1/{LABEL}"
META = f"{FOLDER}/{LABEL}.meta.yaml"
OUTPUT = f"{FOLDER}/{LABEL}.output.split_25.csv"
REPORT = "task1/Lind_NIS_task1.technical_report.pdf"


def move(files: dict[str, bytes], old: str, new: str) -> dict[str, bytes]:
    return {name.replace(old, new): content for name, content in files.items()}


@pytest.mark.parametrize("split", [5, 10, 25, 50, 100])
def test_missing_split(files, validate, split, assert_rejected):
    name = OUTPUT.replace("split_25", f"split_{split}")
    del files[name]
    assert_rejected(validate(files), name, "missing")
    assert validate(files, splits=[other for other in (5, 10, 25, 50, 100) if other != split]).valid


def test_missing_meta(files, validate, assert_rejected):
    del files[META]
    assert_rejected(validate(files), META, "missing")


def test_missing_report_is_a_warning_unless_required(files, validate, assert_rejected):
    del files[REPORT]
    assert validate(files).errors == ()
    assert "technical report is missing" in validate(files).warnings[0]
    assert_rejected(validate(files, require_report=True), "technical report is missing")


def test_report_that_is_no_pdf(files, validate, assert_rejected):
    files[REPORT] = b"To be written"
    assert_rejected(validate(files), REPORT, "not a PDF")


def test_report_beside_the_system_is_fine(files, validate):
    files[f"{FOLDER}/{LABEL}.technical_report.pdf"] = files.pop(REPORT)
    assert validate(files).warnings == ()


@pytest.mark.parametrize("index", ["0", "5", "x", "01"])
def test_index_out_of_range(files, validate, index, assert_rejected):
    label = LABEL[:-1] + index
    assert_rejected(validate(move(files, LABEL, label)), f"task1/{label}/", "malformed")


def test_more_than_four_systems(files, validate, assert_rejected):
    for index in range(2, 6):
        files |= move(files, LABEL, f"Lind_NIS_task1_{index}")
    assert_rejected(validate(files), "number of systems", "received 5")


def test_directory_differs_from_files(files, validate, assert_rejected):
    report = validate(move(files, f"{FOLDER}/", "task1/Berg_NIS_task1_1/"))
    assert_rejected(report, "task1/Berg_NIS_task1_1/", "file name differs", "Lind_NIS_task1_1")
    assert_rejected(report, "field submission.label", "differs from the directory")


@pytest.mark.parametrize(
    ("old", "new"),
    [("task1/", "task2/"), ("task1/", "Task1/"), ("task1/", "x/task1/"), ("task1/", "")],
)
def test_wrong_first_folder(files, validate, old, new, assert_rejected):
    moved = {name.replace(old, new, 1): content for name, content in files.items()}
    assert_rejected(validate(moved), "first folder", "task1/")


@pytest.mark.parametrize(
    "name",
    [
        f"{FOLDER}/model.py",
        f"{FOLDER}/notes.txt",
        f"{FOLDER}/{LABEL}.output.csv",
        f"{FOLDER}/{LABEL}.output.split_20.csv",
        f"{FOLDER}/{LABEL}.output.split_05.csv",
        f"{FOLDER}/{LABEL}.meta.yml",
        f"{FOLDER}/report.pdf",
        f"{FOLDER}/.DS_Store",
        f"{FOLDER}/more/{LABEL}.meta.yaml",
        f"{FOLDER}/more/",
        "task1/readme.md",
        "readme.md",
        f"__MACOSX/task1/{LABEL}/x",
        "/task1/absolute",
        "C:/task1/drive",
        f"{FOLDER}/../../../etc/passwd",
        "task1//double",
        "task1/./dot",
        "task1/back\\slash",
        "task1/line\nbreak",
        "task1/\u202etxt.csv",
    ],
)
def test_unexpected_and_unsafe_names(files, validate, name, assert_rejected):
    files[name] = b""
    assert_rejected(validate(files), name if name.isascii() and name.isprintable() else "task1/")


def test_folders_have_entries_in_many_zips(files, validate):
    assert validate({"task1/": b"", f"{FOLDER}/": b"", **files}).valid


def test_empty_folder_of_a_system(files, validate, assert_rejected):
    assert_rejected(
        validate({**files, "task1/Lind_NIS_task1_2/": b""}), "Lind_NIS_task1_2", "missing"
    )


def rewrite(package: Path, target: Path, change) -> Path:
    """Copies the package entry by entry; `change` may alter the ZipInfo, or return one more."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as copied:
        for entry in source.infolist():
            content = source.read(entry)
            more = change(entry)
            copied.writestr(entry, content)
            if more:
                copied.writestr(more, content)
    return target


def symlink(entry):
    if entry.filename == META:
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def bzip2(entry):
    if entry.filename == META:
        entry.compress_type = zipfile.ZIP_BZIP2


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (symlink, "symbolic link"),
        (bzip2, "unknown compression"),
        (lambda entry: META if entry.filename == META else None, "twice"),
        (lambda entry: META.replace("Lind", "LIND") if entry.filename == META else None, "twice"),
    ],
)
def test_entries_that_are_no_plain_files(package, clips, tmp_path, change, named, assert_rejected):
    path = rewrite(package, tmp_path / "changed.zip", change)
    assert_rejected(validate_package(path, evaluation_filenames=clips), ".meta.yaml", named)


def test_two_metas_in_one_folder(files, validate, assert_rejected):
    files[f"{FOLDER}/Other.meta.yaml"] = files[META]
    assert_rejected(validate(files), FOLDER, "more than one", "Other.meta.yaml")


def test_damaged_and_encrypted_entries(package, clips, tmp_path, assert_rejected):
    content = bytearray(package.read_bytes())
    with zipfile.ZipFile(package) as archive:
        offset = archive.getinfo(OUTPUT).header_offset
    damaged = tmp_path / "damaged.zip"
    start = offset + 30 + len(OUTPUT)
    damaged.write_bytes(content[: start + 200] + b"\0\xff" * 20 + content[start + 240 :])
    assert_rejected(validate_package(damaged, evaluation_filenames=clips), OUTPUT)
    encrypted = tmp_path / "encrypted.zip"
    central = content.rindex(OUTPUT.encode()) - 46
    content[central + 8] |= 1
    encrypted.write_bytes(content)
    assert_rejected(validate_package(encrypted, evaluation_filenames=clips), OUTPUT, "encrypted")


def test_checksum(package, clips, tmp_path, assert_rejected):
    content = bytearray(package.read_bytes())
    # A report is not looked into, so that nothing but the checksum can give this away.
    for place in (
        content.index(REPORT.encode()) - 30 + 14,
        content.rindex(REPORT.encode()) - 46 + 16,
    ):
        content[place] ^= 1
    path = tmp_path / "changed.zip"
    path.write_bytes(content)
    assert_rejected(validate_package(path, evaluation_filenames=clips), REPORT, "damaged")


def test_zip_bomb_is_not_unpacked(files, validate, assert_rejected):
    files[OUTPUT] = b"\0" * 10_000_000
    assert_rejected(validate(files), OUTPUT, "unpacks to too much")


def test_too_many_entries(files, validate, assert_rejected):
    files |= {f"{FOLDER}/{index}.txt": b"" for index in range(200)}
    assert_rejected(validate(files), "wrong number of entries")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"not a zip" * 1000])
def test_not_a_package(tmp_path, content, assert_rejected):
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    assert_rejected(validate_package(path), "package.zip")


def test_no_file(tmp_path, assert_rejected):
    assert_rejected(validate_package(tmp_path / "absent.zip"), "absent.zip", "missing")
    assert_rejected(validate_package(tmp_path), "not a file")
