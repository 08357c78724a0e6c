import zipfile

import pytest

from dcase_system.core.errors import InputError
from dcase_system.submission.package import SystemFiles, submission_label, write_package


@pytest.fixture
def system(tmp_path):
    (tmp_path / "meta").write_text("meta")
    (tmp_path / "output").write_text("output")
    return SystemFiles(
        "Lind_NIS_task1_1", tmp_path / "meta", {100: tmp_path / "output", 5: tmp_path / "output"}
    )


def test_label():
    assert submission_label("Doe-Roe", "EXU", 4) == "Doe-Roe_EXU_task1_4"


@pytest.mark.parametrize(
    "parts",
    [
        ("Doe Roe", "EXU", 1),
        ("Doe", "E_U", 1),
        ("", "EXU", 1),
        ("D.", "EXU", 1),
        ("Doe", "EXU", 0),
        ("Doe", "EXU", 5),
    ],
)
def test_parts_that_make_no_label(parts):
    with pytest.raises(InputError, match="submission label"):
        submission_label(*parts)


def test_layout(system, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"%PDF-")
    write_package(tmp_path / "package.zip", [system], tmp_path / "report.pdf")
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        assert archive.namelist() == [
            "task1/Lind_NIS_task1.technical_report.pdf",
            "task1/Lind_NIS_task1_1/Lind_NIS_task1_1.meta.yaml",
            "task1/Lind_NIS_task1_1/Lind_NIS_task1_1.output.split_100.csv",
            "task1/Lind_NIS_task1_1/Lind_NIS_task1_1.output.split_5.csv",
        ]
        assert archive.testzip() is None


def test_same_files_give_the_same_bytes(system, tmp_path):
    write_package(tmp_path / "one.zip", [system])
    again = SystemFiles(system.label, system.meta, dict(reversed(system.outputs.items())))
    write_package(tmp_path / "two.zip", [again])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_refused_systems(system, tmp_path):
    path = tmp_path / "package.zip"
    with pytest.raises(InputError, match="wrong number of systems"):
        write_package(path, [])
    with pytest.raises(InputError, match="wrong number of systems"):
        write_package(path, [system] * 5)
    with pytest.raises(InputError, match="the same label"):
        write_package(path, [system] * 2)
    with pytest.raises(InputError, match="malformed"):
        write_package(path, [SystemFiles("Doe_task1_1", system.meta, system.outputs)])


def test_missing_file_leaves_the_old_package(system, tmp_path):
    path = tmp_path / "package.zip"
    path.write_bytes(b"old")
    system.meta.unlink()
    with pytest.raises(InputError, match=r"meta: file for task1/.*meta\.yaml is missing"):
        write_package(path, [system])
    assert path.read_bytes() == b"old"
