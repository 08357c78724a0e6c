"""Advisories in a folder: which versions they are about."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.robustness.advisories import affects, main, rows


def written(folder, name, **affected):
    content = {
        "id": name,
        "modified": "2024-05-06T07:08:09Z",
        "aliases": ["CVE-1"],
        "affected": [{"package": {"name": "Some_Package", "ecosystem": "PyPI"}, **affected}],
    }
    (folder / f"{name}.json").write_text(json.dumps(content))


def ranged(*events):
    return {"ranges": [{"type": "ECOSYSTEM", "events": [dict([event]) for event in events]}]}


@given(st.lists(st.integers(1, 30), min_size=3, max_size=3, unique=True), st.integers(1, 30))
def test_a_version_is_affected_from_where_it_was_introduced_to_where_it_was_fixed(ends, version):
    first, fixed, again = sorted(ends)
    affected = ranged(
        ("introduced", f"1.{first}"), ("fixed", f"1.{fixed}"), ("introduced", f"1.{again}")
    )
    assert affects(affected, f"1.{version}") == (first <= version < fixed or version >= again)


def test_versions_are_compared_as_versions():
    assert affects(ranged(("introduced", "0"), ("fixed", "2.10")), "2.9")
    assert not affects(ranged(("introduced", "0"), ("last_affected", "2.9")), "2.10")
    assert affects({"versions": ["2.9"]}, "2.9")
    assert not affects({"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}, "2.9")


def test_rows_are_those_of_what_is_installed(tmp_path):
    written(tmp_path, "A-1", versions=["1.0"])
    written(tmp_path, "A-2", versions=["2.0"])
    (tmp_path / "A-3.yaml").write_text("id: A-3\nwithdrawn: '2024-01-01'\naffected: []\n")
    found, newest, count = rows(tmp_path, {"some-package": "1.0", "other": "1.0"})
    assert [row["advisory"] for row in found] == ["A-1"]
    assert found[0]["also known as"] == "CVE-1"
    assert (newest, count) == ("2024-05-06", 2)


@pytest.mark.parametrize(("name", "status"), [("numpy", 1), ("nobody-has-this", 0)])
def test_the_command_ends_with_what_it_has_found(tmp_path, monkeypatch, capsys, name, status):
    written(tmp_path, "A-1", **ranged(("introduced", "0")))
    path = tmp_path / "A-1.json"
    path.write_text(path.read_text().replace("Some_Package", name))
    monkeypatch.setattr("sys.argv", ["advisories", str(tmp_path)])
    assert main() == status
    assert ("A-1" in capsys.readouterr().out) == bool(status)


def test_a_folder_without_advisories_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["advisories", str(tmp_path)])
    assert main() == 2
    assert "no advisories" in capsys.readouterr().err
