"""The page of a scene search: numbers that can be traced, a front whose points speak."""

import json

import pytest

from dcase_system.files import write_json, write_text
from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.html import as_html
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.scene_search import scene_search_page, summary
from dcase_system.reporting.style import inline_svg
from dcase_system.runs import join
from dcase_system.scene_search.analysis import by_growth, size_correlations
from tests.reporting.tracing import traced

HOSTILE = '<b>&"$x$'
LONGEST = "11m-04a-03a-24a_128_1.25"
SCORE = {
    "accuracy": 91.04,
    "logloss": 12.3456,
    "class_wise": {"in/door~": {"accuracy": 100.0, "logloss": 0.25}},
}


def candidate(method, index, architecture=LONGEST):
    return {
        "method": method,
        "architecture": architecture,
        "growth": 1.0 + index % 2 / 4,
        "params": 100_000 + 1_000 * index,
        "float32_kib": (100_000 + 1_000 * index) / 256,
        "macs": 1_234_567_890 + index,
        "accuracy": 50.0 + index * 1.23,
        "loss": 1.5,
        "on_front": index % 2 == 0,
    }


def results(candidates):
    rule = {"rule": "bytes", "value": 514_000, "limit": 512_000, "complies": False}
    left = {
        "complexity": {"rules": {"2020 Task 1B": [rule]}},
        "scores": {"keras_float16": SCORE, "tflite_float16": SCORE | {"accuracy": 90.96}},
    }
    best = {one["method"]: one for one in candidates}
    return {
        "classes": ["in/door~"],
        "selected_on": "validation",
        "candidates": candidates,
        "chosen": [one | left for one in best.values()],
        "by_growth": by_growth(candidates),
        "size_correlations": size_correlations(candidates),
    }


def write_run(run_dir, candidates, methods=("random", "nsga2"), **settings):
    settings = {"candidate": {}, "methods": methods, "select_on_test": False, "seed": 3, **settings}
    join(run_dir, settings)
    log = "".join(json.dumps({"epoch": 1 + i, "loss": 1 / (1 + i)}) + "\n" for i in range(3))
    for name in (*(f"final_{method}/metrics" for method in methods), "metrics/a_4_1"):
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


def test_every_candidate_says_what_it_is(run_dir):
    (picture,) = (p for p in scene_search_page(run_dir).blocks(Picture) if p.name == "size")
    assert sum(map(len, picture.marks.values())) == 12
    svg = inline_svg(picture)
    says = f"nsga2, {LONGEST}: 105,000 parameters, 1234.6 MMACs, accuracy 56.1 %"
    assert f"<title>{says}</title>" in svg
    assert 'data-source="results.json#/candidates/11/accuracy"' in svg
    assert svg.count("<title>") == 12
    assert "random: front" in svg


def test_text_from_data_is_text(run_dir):
    page = as_html(scene_search_page(run_dir))
    assert "<b>" not in page
    assert page.count("&lt;b&gt;&amp;&#34;$x$") + page.count('&lt;b&gt;&amp;"$x$') == 3


def test_limits_stand_on_top(run_dir):
    verdicts = [one for one in scene_search_page(run_dir).verdicts if one.limit is not None]
    assert [(str(one.value), str(one.limit), one.complies) for one in verdicts] == (
        [("514,000", "512,000", False)] * 2
    )


def test_the_summary_of_long_values_fits_80_columns(run_dir):
    text = summary(run_dir)
    assert max(map(len, text.splitlines())) <= 80
    assert LONGEST in text and "OVER" in text and "…" not in text


def test_selection_on_the_test_clips_is_said(tmp_path):
    write_run(tmp_path, [candidate("random", 0)], ["random"], select_on_test=True)
    assert "chosen is too high" in scene_search_page(tmp_path).summary


def test_one_candidate_is_a_page(tmp_path):
    write_run(tmp_path, [candidate("random", 0)], ["random"])
    traced(as_html(scene_search_page(tmp_path)), tmp_path)
    assert "<svg" in write_report(tmp_path).read_text()


def test_a_half_finished_run_says_so_and_shows_what_there_is(tmp_path):
    write_run(tmp_path, [])
    (tmp_path / "final_nsga2" / "metrics.jsonl").unlink()
    page = page_of(tmp_path)
    notes = [note.text for note in page.blocks(Note)]
    assert "No chosen networks: results.json is not there." in notes
    assert "No log of nsga2: final_nsga2/metrics.jsonl is not there." in notes
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
        '{"candidates": [3, {"params": "many", "accuracy": NaN}], "chosen": [{}, null]}',
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
