"""The page of a supernet's run: traceable numbers, and tooltips of the front's points."""

import json

import pytest

from dcase_system.core.files import write_json, write_text
from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.html import as_html
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.style import inline_svg, nth_series
from dcase_system.reporting.supernet import summary, supernet_page
from dcase_system.reporting.tables import shown
from dcase_system.runs import join
from dcase_system.supernet.analysis import (
    Alone,
    all_scored,
    best_of_spaces,
    figure4,
    improved,
    table1,
)
from tests.reporting.tracing import traced

HOSTILE = '<b>&"$x$'
LOGS = ("teacher", "supernet_22X", "baseline_0.6_1", "baseline_1_1", "kd_0.6_1", "tuned_0.8M_10000")


def one(params, score, ratio):
    return {"ratios": [[ratio, 1.0], [ratio]], "params": params, "macs": 3e7, "score": score}


def window(name, published, **found):
    return {"constraint": name, "published": published, "low": 6e5, "high": 1e6, **found}


SPACES = {
    "2,2,X": [
        window(
            "0.8M",
            0.8,
            random=[one(1_038_110, 0.5, 0.4), one(1_000_000, 0.4, 0.6)],
            nsga2=[one(1_038_110, 0.5, 0.4), one(1_010_000, 0.3, 0.8)],
        ),
        window("1.8M", 1.8, random=[one(2_000_000, 0.6, 1.0)]),
    ],
    HOSTILE: [window("0.8M", 0.8, random=[one(900_000, 0.2, 0.4)])],
}
BEST = [row | {"map": 0.266, "map_not_recalibrated": 0.25} for row in best_of_spaces(SPACES)]
CHOSEN = [row | {"interval_95": [0.2, 0.35]} for row in BEST if row["search"] == "random"][:2]
ALONE = [Alone(1_038_110, 0.212, 0.25, ("0.8M",)), Alone(2_120_911, 1.0, 0.3, ("1.8M",))]
RESULTS = {
    "corpus": "mixtures of here",
    "largest_params": 5_219_279,
    "teacher": 0.4554,
    "chance": 0.104,
    "classes_without_positive": 2,
    "chosen": improved(CHOSEN, ALONE),
    "table1": table1(0.4554, 5_219_279, ALONE, CHOSEN),
    "tuning_steps": [10_000, 75],
    "table2": [
        {
            **{"constraint": name, "published": published, "params": 5_038_110},
            **{"ofa": 1.0, "tuned_short": 0.267, "tuned_long": 0.3, "init_long": 0.2},
        }
        for name, published in (("0.8M", 0.8), ("1.8M", 1.8), ("2.8M", 2.8), ("3.07k", None))
    ],
    "figure3": BEST,
    "figure4": figure4(SPACES),
    "files": [{"file": "edge_0.8M/a.tflite", "bytes": 999, "waveform_bytes": 80_999, "map": 0.26}],
    "spaces": SPACES,
    "all_scored": all_scored(SPACES),
    "ranking": {
        "kendall_tau": -0.067,
        "p_value": 0.86,
        "rows": [one(100, 0.5, 0.4) | {"alone": 0.51, "spec": "0.4-1|0.4"}],
    },
}
COMPLEXITY = {"params": 1_038_110, "macs": 3e7, "bytes": {"float32": 4, "float16": 2, "int8": 1}}


def write_run(run_dir, results=None):
    join(run_dir, {"kind": "supernet", "patterns": list(SPACES), "ranked": 2, "seed": 3})
    log = "".join(json.dumps({"epoch": 1 + i, "loss": 1 / (1 + i)}) + "\n" for i in range(50))
    for name in LOGS:
        write_text(run_dir / "metrics" / f"{name}.jsonl", log)
    if results is not None:
        write_json(run_dir / "results.json", results)
        write_json(run_dir / "edge_0.8M" / "complexity.json", COMPLEXITY)


@pytest.fixture
def run_dir(tmp_path):
    write_run(tmp_path, RESULTS)
    return tmp_path


def picture(run_dir, name):
    return next(one for one in supernet_page(run_dir).blocks(Picture) if one.name == name)


def table(run_dir, name):
    """Headings and rows of a table, as text."""
    found = next(one for one in supernet_page(run_dir).blocks(Table) if one.name == name)
    return list(found.columns), [[shown(cell) for cell in row] for row in found.rows]


def test_every_number_stands_where_it_says(run_dir):
    assert traced(as_html(supernet_page(run_dir)), run_dir) > 100


def test_verdicts_have_intervals_and_the_chance_level(run_dir):
    teacher, _, first, *_ = supernet_page(run_dir).verdicts
    assert plain(teacher.remark) == "chance level 10.4 % (mean share of clips with a class)"
    assert plain(first.remark) == "1,038,110 parameters; 95 % interval 20.0 to 35.0"


def test_table_1_has_the_published_rows_beside_ours(run_dir):
    columns, rows = table(run_dir, "table1")
    assert columns == ["model", "parameters", "%", "mAP", "%", "† M", "† %", "† mAP", "† %"]
    nothing = ["–"] * 4
    assert rows == [
        ["AST", *nothing, "86.0†", "–", "34.7†", "–"],
        ["SSAST", *nothing, "86.0†", "–", "31.0†", "–"],
        ["CNN10 (B = 32)", *nothing, "5.2†", "–", "27.8†", "–"],
        [
            *("CNN10, teacher", "5,219,279", "100.0", "45.5", "100.0"),
            *("5.2†", "100.0†", "29.6†", "100.0†"),
        ],
        ["Baseline", "1,038,110", "19.9", "21.2", "46.6", "1.0†", "19.2†", "21.2†", "71.6†"],
        ["KD", "1,038,110", "19.9", "25.0", "54.9", "1.0†", "19.2†", "24.8†", "83.7†"],
        ["OFA, 0.8M", "1,038,110", "19.9", "26.6", "58.4", "0.9†", "17.3†", "26.6†", "89.9†"],
        ["Baseline", "2,120,911", "40.6", "100.0", "219.6", "2.1†", "40.3†", "22.6†", "76.4†"],
        ["KD", "2,120,911", "40.6", "30.0", "65.9", "2.1†", "40.3†", "26.4†", "89.2†"],
        ["OFA, 1.8M", "2,000,000", "38.3", "26.6", "58.4", "1.8†", "34.6†", "27.2†", "91.9†"],
    ]
    text = as_html(supernet_page(run_dir))
    assert "Ours: mixtures of here; † published, AudioSet." in text


def test_improvement_is_beside_the_abstracts(run_dir):
    _, rows = table(run_dir, "improvement")
    assert rows == [
        ["0.8M", "+25.5", "+6.4", "25.4†", "7.3†"],
        ["1.8M", "-73.4", "-11.3", "–", "–"],
    ]


def test_table_2_has_a_row_for_each_budget_and_says_how_long_was_tuned(run_dir):
    columns, rows = table(run_dir, "table2")
    assert columns[:6] == ["budget", "parameters", "OFA", "+10K", "+75", "Init +75"]
    assert columns[6:] == ["† M", "† OFA", "† +10K", "† +100K", "† Init +100K"]
    ours = ["5,038,110", "100.0", "26.7", "30.0", "20.0"]
    assert rows == [
        ["0.8M", *ours, "0.9†", "26.6†", "26.7†", "26.7†", "24.8†"],
        ["1.8M", *ours, "1.8†", "27.2†", "27.6†", "27.8†", "26.6†"],
        ["2.8M", *ours, "2.7†", "27.7†", "28.2†", "28.4†", "28.1†"],
        ["3.07k", *ours, "–", "–", "–", "–", "–"],
    ]


def test_figure_3_has_a_line_for_each_space_and_search_and_for_networks_trained_alone(run_dir):
    figure = picture(run_dir, "figure3")
    assert [len(marks) for marks in figure.marks.values()] == [2, 1, 1, 2, 2]
    svg = inline_svg(figure)
    assert "EW+ED=[2,2,X], nsga2, 0.8M: 0.4-1|0.4, 1,038,110 parameters" in svg
    assert "Baseline: 2,120,911 parameters, mAP 100.0 %" in svg
    assert 'data-source="results.json#/table1/2/map"' in svg
    columns, rows = table(run_dir, "figure3")
    assert columns[-3:] == ["test mAP %", "† M", "† mAP"]
    assert [row[-3:] for row in rows[:2]] == [["26.6", "0.9†", "26.6†"], ["26.6", "–", "–"]]


def test_figure_4_has_a_box_for_each_constraint_and_space_of_the_random_draws(run_dir):
    figure = picture(run_dir, "figure4")
    assert len(figure.marks) == 3
    svg = inline_svg(figure)
    assert "<title>EW+ED=[2,2,X], 0.8M: mean 45.0 %, deviation 7.1, of 2</title>" in svg
    assert "<title>EW+ED=[2,2,X], 1.8M: mean 60.0 %, deviation –, of 1</title>" in svg
    axes = figure.figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.8M", "1.8M"]
    (box,) = [one for one in axes.patches if one.get_gid() == "box-0"]
    low, high = box.get_path().vertices[:, 1].min(), box.get_path().vertices[:, 1].max()
    assert (low, high) == (pytest.approx(42.5), pytest.approx(47.5))  # quartiles of 40 and 50
    means = [one for one in axes.lines if one.get_color() == "#d55e00" and len(one.get_ydata())]
    assert [one.get_ydata()[0] for one in means] == pytest.approx([45.0, 60.0, 20.0])
    columns, rows = table(run_dir, "spread")
    assert columns == ["search space", "budget", "mean mAP %", "deviation", "n"]
    assert rows[0] == ["EW+ED=[2,2,X]", "0.8M", "45.0", "7.07", "2"]


def test_every_sub_network_says_what_it_is(run_dir):
    svg = inline_svg(picture(run_dir, "scored_by_size"))
    assert svg.count("<title>") == len(RESULTS["all_scored"]) + 4 == 10
    says = "EW+ED=[2,2,X], random, 0.4-1|0.4: 1,038,110 parameters, 30.0 MMACs, mAP 50.0 %"
    assert f"<title>{says}</title>" in svg
    assert "better than all smaller ones" in svg


def test_files_and_costs_of_the_chosen_are_shown(run_dir):
    assert table(run_dir, "files")[1] == [["edge_0.8M/a.tflite", "999", "80,999", "26.0"]]
    assert table(run_dir, "complexity")[1] == [
        ["0.8M", "1,038,110", "30.0", "4", "2", "1"],
        ["1.8M", "–", "–", "–", "–", "–"],
    ]


def test_text_from_data_is_text(run_dir):
    page = as_html(supernet_page(run_dir))
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page


def test_the_summary_of_long_values_fits_80_columns(run_dir):
    lines = summary(run_dir).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:2] == ["0.8M", "5,038,110"] for line in lines)


def test_trainings_are_told_apart_and_missing_ones_named(run_dir):
    assert {"0.6, 1", "1, 1"} <= set(
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
    assert "No scores: results.json is missing." in [note.text for note in page.blocks(Note)]
    assert [one.name for one in page.blocks(Table)] == ["origin"]
    assert len(page.blocks(Picture)) == 5  # a kind of training each
    traced(as_html(page), tmp_path)


def test_one_sub_network_is_a_page(tmp_path):
    spaces = {"X": [window("0.8M", 0.8, random=[one(900_000, 0.2, 0.4)])]}
    found = {"figure3": best_of_spaces(spaces), "figure4": figure4(spaces)}
    found["all_scored"] = all_scored(spaces)
    write_run(tmp_path, {"spaces": spaces, **found, "ranking": None})
    traced(as_html(supernet_page(tmp_path)), tmp_path)
    assert "<svg" in write_report(tmp_path).read_text()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        f'{{"teacher": 1{"0" * 400}}}',
        '{"table1": 1, "table2": [null, {"published": []}], "all_scored": [{"params": "many"}]}',
        '{"table1": [{"params": 1, "published": [[], "x"], "model": {}}], "tuning_steps": 3}',
        '{"figure4": [{"mean": 0.1, "scores": ["a"]}, {"scores": 1}, {"space": []}], "files": 7}',
        '{"chosen": [{"constraint": "../..", "published": {}}], "figure3": [{"params": 1}]}',
        '{"ranking": {"kendall_tau": NaN, "rows": [1, {}]}, "figure3": {"a": 1}}',
    ],
)
def test_broken_results_are_a_page(run_dir, content):
    (run_dir / "results.json").write_text(content)
    page = supernet_page(run_dir)
    assert as_html(page).count("<svg") == 5  # of the trainings
    traced(as_html(page), run_dir)
    assert max(map(len, summary(run_dir).splitlines())) <= 80
