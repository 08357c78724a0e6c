"""The page of a scene search: tables, figures, traceable numbers."""

import json

import pytest

from dcase_system.core.files import write_json, write_text
from dcase_system.papers import scene_search as paper
from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.html import as_html
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.scene_search import scene_search_page, summary
from dcase_system.reporting.style import inline_svg
from dcase_system.runs import join
from dcase_system.scene_search.analysis import (
    by_growth,
    histograms,
    mean_sizes,
    size_correlations,
)
from tests.reporting.tracing import traced

HOSTILE = '<b>&"$x$'
LONGEST = "11m-04a-03a-24a_128_1.25"
SCORE = {
    "accuracy": 91.04,
    "clip_accuracy": 90.51,
    "loss": 10.2345,
    "logloss": 12.3456,
    "intervals_95": {"accuracy": [85.04, 95.0], "clip_accuracy": [84.44, 94.96]},
    "class_wise": {"in/door~": {"accuracy": 100.0, "logloss": 0.25}},
}


LAYERS = ["3 × 3 Stem Conv. (8)", "2 × 2 MaxPool", "GlobalAvgPool", "Fully Connected", "1-way ..."]


def candidate(method, index, architecture=LONGEST):
    return {
        "method": method,
        "architecture": architecture,
        "growth": 1.0 + index % 2 / 4,
        "params": 100_000 + 1_000 * index,
        "float32_kib": (100_000 + 1_000 * index) / 256,
        "macs": 1_234_567_890 + index,
        "clip_accuracy": 50.0 + index * 1.23,
        "accuracy": 49.0 + index * 1.23,
        "loss": 1.5 + index / 100,
        "on_front": index % 2 == 0,
    }


def results(candidates):
    rule = {"rule": "bytes", "value": 514_000, "limit": 512_000, "complies": False}
    left = {
        "complexity": {"rules": {"2020 Task 1B": [rule]}},
        "scores": {"keras_float16": SCORE, "tflite_float16": SCORE | {"accuracy": 90.96}},
    }
    chosen = [
        one | left | {"model": model, "folder": f"final_{method}_{model.lower()}", "layers": LAYERS}
        for method in dict.fromkeys(one["method"] for one in candidates)
        for model, one in zip("AB", _both(candidates, method), strict=True)
    ]
    return {
        "corpus": "toys",
        "classes": ["in/door~"],
        "selected_on": "validation",
        "candidates": candidates,
        "chosen": chosen,
        "table4": [
            {
                "network": f"{one['method']} {one['model']}",
                "precision": precision,
                "mib": 0.4149,
                **{key: SCORE[key] for key in ("clip_accuracy", "accuracy", "loss")},
            }
            for one in chosen
            for precision in ("float32", "float16")
        ],
        "by_growth": by_growth(candidates),
        "mean_sizes": mean_sizes(candidates),
        "histograms": histograms(candidates),
        "size_correlations": size_correlations(candidates),
    }


def _both(candidates, method):
    """The last of a method, which is the most accurate, and the first, which has the least loss."""
    mine = [one for one in candidates if one["method"] == method]
    return mine[-1], mine[0]


def write_run(run_dir, candidates, methods=("random", "nsga2"), **settings):
    settings = {
        "kind": "scene_search",
        "methods": methods,
        "select_on_test": False,
        "seed": 3,
    } | settings
    join(run_dir, settings)
    log = "".join(json.dumps({"epoch": 1 + i, "loss": 1 / (1 + i)}) + "\n" for i in range(3))
    finals = [f"final_{method}_{model}/metrics" for method in methods for model in "ab"]
    for name in (*finals, "metrics/a_4_1"):
        write_text(run_dir / f"{name}.jsonl", log)
    if candidates:
        write_json(run_dir / "results.json", results(candidates))


@pytest.fixture
def run_dir(tmp_path):
    found = [candidate(method, index) for method in ("random", "nsga2") for index in range(6)]
    found[1]["architecture"] = HOSTILE
    write_run(tmp_path, found)
    return tmp_path


def test_every_number_stands_where_it_says(run_dir):
    # 12 candidates with 6 numbers each, of which the accuracies are drawn too, and what they give
    assert traced(as_html(scene_search_page(run_dir)), run_dir) > 12 * 6 + 2 * 6


def picture(run_dir, name):
    (found,) = (one for one in scene_search_page(run_dir).blocks(Picture) if one.name == name)
    return found


def table(run_dir, name):
    (found,) = (one for one in scene_search_page(run_dir).blocks(Table) if one.name == name)
    return found


def test_every_candidate_says_what_it_is(run_dir):
    """Figure 3: "Each dot represents a candidate model"."""
    figure3 = picture(run_dir, "figure3")
    assert sum(map(len, figure3.marks.values())) == 12 + 4  # the chosen ones are ringed
    svg = inline_svg(figure3)
    says = f"nsga2, {LONGEST}: 105,000 parameters, 1234.6 MMACs, accuracy 56.1 %"
    assert f"<title>{says}</title>" in svg
    assert 'data-source="results.json#/candidates/11/clip_accuracy"' in svg
    assert svg.count("<title>") == 12 + 4
    assert "random: front" in svg and "random: model B" in svg
    (axes,) = figure3.figure.axes
    assert axes.get_xlabel() == "float32 parameters, KiB"
    assert axes.get_ylabel() == "validation clips: accuracy, %"


def test_figure_4_has_a_normalised_histogram_and_a_mean_for_each_growth(run_dir):
    """Figure 4: "Normalized histograms of accuracy of candidate models with different growth ratio
    of filter number"."""
    figure4 = picture(run_dir, "figure4-random")
    panels = figure4.figure.axes
    titles = [axes.get_title(loc="left") for axes in panels]
    assert titles == [
        "growth 1.0, 3 candidates, mean 52.5 %",
        "growth 1.25, 3 candidates, mean 53.7 %",
    ]
    for axes in panels:
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(1.0)
    svg = inline_svg(figure4)
    share = "growth 1.0: 33.3 % of 3 candidates from 50 to 50.5 %"
    assert f"<title>{share}</title>" in svg
    assert 'data-source="results.json#/histograms/0/shares/0" data-shown="33.3"' in svg
    assert svg.count("<title>") == 6 + 2


def test_figure_4_is_drawn_for_each_search(run_dir):
    names = [one.name for one in scene_search_page(run_dir).blocks(Picture)]
    assert names[:3] == ["figure3", "figure4-random", "figure4-nsga2"]


def test_published_means_stand_beside_those_of_the_growths(run_dir):
    """Section 4.4: 2.0, 1.75, 1.5, 1.25, 1.0: "92.5%, 92.9%, 92.9%, 93.2% and 93.3%"."""
    growth = table(run_dir, "growth")
    assert "TAU 2020 3Class" in growth.title and "clips of toys" in growth.title
    published = growth.columns.index("published mean")
    assert [(str(row[1]), row[published]) for row in growth.rows[:2]] == [
        ("1", "93.3 %"),
        ("1.25", "93.2 %"),
    ]
    assert [row[-1] for row in table(run_dir, "sizes").rows] == ["374 ± 8 KB"] * 2


def test_table_4_has_the_published_row_of_the_same_model_and_precision(run_dir):
    rows = {(row[0], row[1]): row[-2:] for row in table(run_dir, "table4").rows}
    assert rows[("random A", "float32")] == ("0.42 MB", "95.6 %")
    assert rows[("random B", "float16")] == ("0.15 MB", "95.8 %")
    assert rows[("nsga2 B", "float32")] == ("0.29 MB", "95.8 %")


def test_of_one_network_that_is_a_and_b_both_published_rows_are_shown(run_dir):
    content = json.loads((run_dir / "results.json").read_text())
    content["table4"] = [content["table4"][0] | {"network": "random A and B"}]
    write_json(run_dir / "results.json", content)
    (row,) = table(run_dir, "table4").rows
    assert row[-2:] == ("0.42 MB / 0.29 MB", "95.6 % / 95.8 %")


def test_table_3_sets_the_layers_side_by_side_with_the_published_ones(run_dir):
    layers = table(run_dir, "table3")
    assert list(layers.columns)[1:] == [
        *("random A", "random B", "nsga2 A", "nsga2 B"),
        *("published Model A", "published Model B"),
    ]
    assert len(layers.rows) == 14
    assert [row[1] for row in layers.rows] == [*LAYERS[:2], *[None] * 9, *LAYERS[2:]]
    for column, name in ((-2, "Model A"), (-1, "Model B")):
        printed = [row[paper.TABLE_3.columns.index(name)] for row in paper.TABLE_3.rows]
        assert [row[column] for row in layers.rows] == printed


def test_both_kinds_of_accuracy_are_in_the_tables(run_dir):
    for name in ("final", "table4", "candidates", "forms"):
        assert {"accuracy %", "macro %", "loss"} <= set(table(run_dir, name).columns)
    final = table(run_dir, "final")
    found = dict(zip(final.columns, map(str, final.rows[0]), strict=True))
    assert (found["accuracy %"], found["macro %"], found["loss"]) == ("90.5", "91.0", "10.235")


def test_intervals_and_the_chance_level_stand_beside_the_accuracies(run_dir):
    page = scene_search_page(run_dir)
    remark = f"{LONGEST}; 95 % interval 84.4 to 95.0; chance level 100.0 % (1 class)"
    assert plain(page.verdicts[0].remark) == remark
    (name, *cells) = table(run_dir, "intervals").rows[0]
    assert name == "random A"
    assert [str(cell) for cell in cells] == ["90.5", "84.4", "95.0", "91.0", "85.0", "95.0"]


def test_text_from_data_is_text(run_dir):
    page = as_html(scene_search_page(run_dir))
    assert "<b>" not in page
    assert page.count("&lt;b&gt;&amp;&#34;$x$") + page.count('&lt;b&gt;&amp;"$x$') == 3


def test_limits_stand_on_top(run_dir):
    verdicts = [one for one in scene_search_page(run_dir).verdicts if one.limit is not None]
    assert [(str(one.value), str(one.limit), one.complies) for one in verdicts] == (
        [("514,000", "512,000", False)] * 4
    )


def test_the_summary_of_long_values_fits_80_columns(run_dir):
    text = summary(run_dir)
    assert max(map(len, text.splitlines())) <= 80
    assert LONGEST in text and "OVER" in text and "…" not in text


def test_selection_on_the_test_clips_is_said(tmp_path):
    write_run(tmp_path, [candidate("random", 0)], ["random"], select_on_test=True)
    assert "the chosen ones is too optimistic" in scene_search_page(tmp_path).summary


def test_one_candidate_is_a_page(tmp_path):
    write_run(tmp_path, [candidate("random", 0)], ["random"])
    traced(as_html(scene_search_page(tmp_path)), tmp_path)
    assert "<svg" in write_report(tmp_path).read_text()


def test_a_half_finished_run_says_so_and_shows_what_there_is(tmp_path):
    write_run(tmp_path, [])
    (tmp_path / "final_nsga2_b" / "metrics.jsonl").unlink()
    page = page_of(tmp_path)
    notes = [note.text for note in page.blocks(Note)]
    assert "No chosen networks: results.json is missing." in notes
    assert "No log of final_nsga2_b: final_nsga2_b/metrics.jsonl is missing." in notes
    assert [one.name for one in page.blocks(Picture)] == ["final_loss", "candidate_loss"]
    assert [one.name for one in page.blocks(Table)] == ["origin"]
    traced(as_html(page), tmp_path)
    assert summary(tmp_path) == ""


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"candidates": 1, "chosen": {"a": 1}, "classes": 3}',
        '{"candidates": [3, {"params": "many", "clip_accuracy": NaN}], "chosen": [{}, null]}',
        '{"candidates": [{}], "histograms": [{"edges": [1], "shares": [2, 3]}, {"edges": "x"}]}',
        '{"table4": [{"network": 3}, null, {"precision": []}], "chosen": [{"layers": [1, 2]}]}',
    ],
)
def test_broken_results_are_a_page(run_dir, content):
    (run_dir / "results.json").write_text(content)
    page = scene_search_page(run_dir)
    assert as_html(page).count("<svg") == 2  # of the trainings
    traced(as_html(page), run_dir)
    assert max(map(len, summary(run_dir).splitlines()), default=0) <= 80


def test_dozens_of_trainings_are_lines_that_say_which_they_are(run_dir):
    log = (run_dir / "metrics" / "a_4_1.jsonl").read_text()
    for index in range(20):
        write_text(run_dir / "metrics" / f"{index}.jsonl", log)
    (picture,) = (
        one for one in scene_search_page(run_dir).blocks(Picture) if one.name == "candidate_loss"
    )
    assert "<title>a_4_1</title>" in inline_svg(picture)
