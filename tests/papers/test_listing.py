"""The list of the papers' tables and figures, and the commands for ours."""

import importlib.util
import json

import pytest

from dcase_system.papers import ofa_aec, scene_search, sscp_mobile
from dcase_system.papers.published import found_in
from tests.commands import run

ALL = (*sscp_mobile.PUBLISHED, *ofa_aec.PUBLISHED, *scene_search.PUBLISHED)


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.paper}, {one.name}")
def test_every_table_and_figure_has_rows_as_wide_as_its_columns_and_a_recipe(one):
    assert all(len(row) == len(one.columns) for row in one.rows)
    if one.command.startswith("none"):  # a drawing
        assert not one.rows and not one.results
        return
    words = one.command.split()
    assert words[:2] == ["python", "-m"]
    assert importlib.util.find_spec(words[2]) is not None
    assert one.needs and one.hours


def test_the_list_names_every_one_and_what_a_run_holds(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps({"systems": [{"system": "S1"}]}))
    done = run("dcase_system.papers", tmp_path)
    assert done.returncode == 0, done.stderr
    for one in ALL:
        assert f"{one.paper}, {one.name}: " in " ".join(done.stdout.split())
    blocks = done.stdout.split("\n\n")
    states = [block.rsplit(":", 1)[1].strip() for block in blocks]
    assert [state == "present" for state in states] == [
        bool(one.results) and all(found_in(tmp_path, name) for name in one.results) for one in ALL
    ]
    assert states.count("present") >= 2  # both tables of SSCP-Mobile


def test_rows_are_printed_as_published():
    done = run("dcase_system.papers", "--rows")
    assert "63748" in done.stdout and "52.1763" in done.stdout
    listed = json.loads(run("dcase_system.papers", "--json").stdout)
    assert len(listed) == len(ALL)
    assert listed[0]["rows"][0]["MACs"] == 29_982_132


def test_a_place_in_a_file_is_found_only_where_it_holds_something(tmp_path):
    (tmp_path / "results.json").write_text('{"table1": [1], "table2": [], "deep": {"er": 1}}')
    (tmp_path / "broken.json").write_text("{")
    assert found_in(tmp_path, "results.json")
    assert found_in(tmp_path, "results.json#/table1")
    assert found_in(tmp_path, "results.json#/deep/er")
    for absent in ("other.json", "results.json#/table2", "results.json#/deep/x", "broken.json#/x"):
        assert not found_in(tmp_path, absent)
