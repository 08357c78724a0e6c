"""The page of a supernet's run: numbers that can be traced, a front whose points speak."""

import json

import pytest

from dcase_system.files import write_json, write_text
from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.html import as_html
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.style import inline_svg, nth_series
from dcase_system.reporting.supernet import summary, supernet_page
from dcase_system.runs import join
from dcase_system.supernet.analysis import all_scored, best_of_spaces
from tests.reporting.tracing import traced

HOSTILE = '<b>&"$x$'
LOGS = ("teacher", "supernet_22X", "baseline_0.19", "baseline_0.4", "kd_0.19", "tuned_0.19_29")


def one(params, score, ratio):
    return {"ratios": [[ratio, 1.0], [ratio]], "params": params, "macs": 3e7, "score": score}


SPACES = {
    "2,2,X": [
        {
            "budget": 0.19,
            "random": [one(1_038_110, 0.5, 0.4), one(1_000_000, 0.4, 0.6)],
            "evolution": [one(1_038_110, 0.5, 0.4), one(1_010_000, 0.3, 0.8)],
        },
        {"budget": 0.4, "random": [one(2_000_000, 0.6, 1.0)]},
    ],
    HOSTILE: [{"budget": 0.19, "random": [one(900_000, 0.2, 0.4)]}],
}
RESULTS = {
    "largest_params": 5_219_279,
    "teacher": 0.4554,
    "classes_without_positive": 0,
    "table1": [
        {
            "budget": budget,
            "uniform_params": 5_038_110,
            "baseline": 1.0,
            "kd": 0.25,
            "ofa_params": 5_038_110,
            "ofa_not_recalibrated": 0.266,
            "ofa": 0.2664,
        }
        for budget in (0.19, 0.4, 0.67)
    ],
    "table2": [
        {
            "budget": 0.19,
            "params": 5_038_110,
            "inherited": 1.0,
            "tuned_29": 0.267,
            "tuned_289": 0.3,
            "init_289": 0.2,
        }
    ],
    "spaces": SPACES,
    "best_of_spaces": best_of_spaces(SPACES),
    "all_scored": all_scored(SPACES),
    "ranking": {
        "kendall_tau": -0.067,
        "p_value": 0.86,
        "rows": [one(100, 0.5, 0.4) | {"alone": 0.51, "spec": "0.4-1|0.4"}],
    },
}


def write_run(run_dir, results=None):
    join(run_dir, {"supernet": {}, "patterns": list(SPACES), "ranked": 2, "seed": 3})
    log = "".join(json.dumps({"epoch": 1 + i, "loss": 1 / (1 + i)}) + "\n" for i in range(50))
    for name in LOGS:
        write_text(run_dir / "metrics" / f"{name}.jsonl", log)
    if results is not None:
        write_json(run_dir / "results.json", results)


@pytest.fixture
def run_dir(tmp_path):
    write_run(tmp_path, RESULTS)
    return tmp_path


def picture(run_dir, name):
    return next(one for one in supernet_page(run_dir).blocks(Picture) if one.name == name)


def test_every_number_stands_where_it_says(run_dir):
    assert traced(as_html(supernet_page(run_dir)), run_dir) > 3 * 7 + 6 + 4 * 3


def test_every_sub_network_says_what_it_is(run_dir):
    svg = inline_svg(picture(run_dir, "figure4"))
    assert svg.count("<title>") == len(RESULTS["all_scored"]) == 4
    says = "[2,2,X] 0.4-1|0.4: 1,038,110 parameters, 30.0 MMACs, mAP 50.0 %"
    assert f"<title>{says}</title>" in svg
    assert 'data-source="results.json#/all_scored/2/score"' in svg
    assert "front: better than all smaller ones" in svg


def test_figure_3_has_a_line_for_each_space_and_search(run_dir):
    figure = picture(run_dir, "figure3")
    assert [len(marks) for marks in figure.marks.values()] == [2, 1, 1]
    says = "[2,2,X] evolution, budget 19 %, 0.4-1|0.4: 1,038,110 parameters"
    assert says in inline_svg(figure)


def test_text_from_data_is_text(run_dir):
    page = as_html(supernet_page(run_dir))
    assert "<b>" not in page
    assert "[&lt;b&gt;&amp;" in page


def test_the_summary_of_long_values_fits_80_columns(run_dir):
    lines = summary(run_dir).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[lines.index("") + 4].split() == (
        ["19", "5,038,110", "100.0", "25.0", "5,038,110", "26.6", "26.6"]
    )
    assert any(line.split()[-3:] == ["26.7", "30.0", "20.0"] for line in lines)


def test_trainings_are_told_apart_and_missing_ones_named(run_dir):
    assert {"0.19", "0.4"} <= set(
        inline_svg(picture(run_dir, "loss_2")).replace("<", ">").split(">")
    )
    notes = [note.text for note in supernet_page(run_dir).blocks(Note)]
    assert any("sub-networks trained alone" in note and "teacher" not in note for note in notes)


def test_many_series_look_different():
    looks = [nth_series(index) for index in range(36)]
    assert len({(look["marker"], look["linestyle"]) for look in looks}) == 36


def test_a_half_finished_run_says_so_and_shows_what_there_is(tmp_path):
    write_run(tmp_path)
    page = page_of(tmp_path)
    assert "No scores: results.json is not there." in [note.text for note in page.blocks(Note)]
    assert [one.name for one in page.blocks(Table)] == ["origin"]
    assert len(page.blocks(Picture)) == 5  # a kind of training each
    traced(as_html(page), tmp_path)


def test_one_sub_network_is_a_page(tmp_path):
    spaces = {"X": [{"budget": 0.2, "random": [one(900_000, 0.2, 0.4)]}]}
    found = {"best_of_spaces": best_of_spaces(spaces), "all_scored": all_scored(spaces)}
    write_run(tmp_path, {"spaces": spaces, **found, "ranking": None})
    traced(as_html(supernet_page(tmp_path)), tmp_path)
    assert "<svg" in write_report(tmp_path).read_text()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        f'{{"teacher": 1{"0" * 400}}}',
        '{"table1": 1, "table2": [null, {"budget": "x"}], "all_scored": [{"params": "many"}]}',
        '{"ranking": {"kendall_tau": NaN, "rows": [1, {}]}, "best_of_spaces": {"a": 1}}',
    ],
)
def test_broken_results_are_a_page(run_dir, content):
    (run_dir / "results.json").write_text(content)
    page = supernet_page(run_dir)
    assert as_html(page).count("<svg") == 5  # of the trainings
    traced(as_html(page), run_dir)
    assert max(map(len, summary(run_dir).splitlines())) <= 80
