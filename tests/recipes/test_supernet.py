"""The supernet's recipe at toy scale: everything it writes, kept the second time."""

import json
from pathlib import Path

import pytest

from tests.commands import FLOAT16, run, tiny_clips, too_wide
from tests.training.curves import assert_drawn

pytestmark = pytest.mark.timeout(1_800)  # a run is made in the setup
RECIPE = "recipes.audioset_supernet"
TOY = [
    "--corpus=mixtures",
    "--mixtures=48,32,32",
    "--width=0.0625",
    "--batch_size=16",
    "--patterns=2,2,X;none",
    "--draws=3",
    "--teacher_steps=3",
    "--largest_steps=3",
    "--samples_steps=3",
    "--alone_steps=3",
    "--tuning_steps=3,6",
    FLOAT16,
]


def test_a_supernet_is_trained_searched_cut_out_and_tuned(place):
    """One space and one budget; the tests marked slow look at all that a run leaves."""
    one = [flag for flag in TOY if not flag.startswith(("--patterns", "--draws"))]
    one += ["--patterns=2,2,X", "--draws=1", "--budgets=0.01"]
    out = place / "one"
    done = run(RECIPE, *tiny_clips(place), *one, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    results = json.loads((out / "results.json").read_text())
    assert {row["model"] for row in results["table1"]} == {"teacher", "baseline", "kd", "ofa"}
    (found,), (tuned,), (files,) = (results[name] for name in ("chosen", "table2", "files"))
    assert found["low"] <= found["params"] <= found["high"]
    assert tuned["ofa"] == pytest.approx(found["map"], abs=1e-3)
    content = (out / files["file"]).read_bytes()
    assert len(content) == files["bytes"] and content[4:8] == b"TFL3"


@pytest.fixture(scope="module")
def done(place):
    """A run's output, the flags it had, and its folder."""
    flags, out = [*tiny_clips(place), *TOY], place / "supernet"
    done = run(RECIPE, *flags, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    return done, flags, out


@pytest.fixture(scope="module")
def results(done):
    return json.loads((done[2] / "results.json").read_text())


@pytest.mark.slow
def test_a_run_has_the_papers_tables(results):
    models = [row["model"] for row in results["table1"]]
    assert models[0] == "teacher" and models.count("ofa") == 4
    assert models.count("baseline") == models.count("kd") >= 2
    assert all(0 < row["map"] <= 1 and row["params_share"] <= 1 for row in results["table1"])
    assert [row["published"] for row in results["table2"]] == [0.8, 1.8, 2.8, 3.8]
    assert results["tuning_steps"] == [3, 6]
    for row in results["table2"]:
        assert all(0 < row[key] <= 1 for key in ("ofa", "tuned_short", "tuned_long", "init_long"))
    for row in results["chosen"]:
        assert row["low"] <= row["params"] <= row["high"]
        assert row["over_kd"] is not None


@pytest.mark.slow
def test_a_run_has_the_papers_figures(results):
    spaces = ["EW+ED=[2,2,X]"] * 4 + ["EW-only"] * 4
    assert [row["space"] for row in results["figure3"]] == spaces
    assert [row["space"] for row in results["figure4"]] == spaces
    assert {row["search"] for row in results["figure3"]} == {"random"}  # as published
    for row in results["figure4"]:
        assert row["n"] == len(row["scores"]) == 3
        assert row["mean"] == pytest.approx(sum(row["scores"]) / 3)


@pytest.mark.slow
def test_the_sub_network_that_is_cut_out_scores_what_the_supernet_does_with_it(results):
    for found, tuned in zip(results["chosen"], results["table2"], strict=True):
        assert tuned["ofa"] == pytest.approx(found["map"], abs=1e-3)


@pytest.mark.slow
def test_each_chosen_network_leaves_files_and_a_complexity_report(results, done):
    out = done[2]
    assert [row["constraint"] for row in results["files"]] == [
        found["constraint"] for found in results["chosen"]
    ]
    for row in results["files"]:
        name = row["constraint"]
        assert row["file"] == f"edge_{name}/ofa_{name}_float16.tflite"
        for key in ("", "waveform_"):
            assert (out / row[f"{key}file"]).stat().st_size == row[f"{key}bytes"]
    for found in results["chosen"]:
        name = found["constraint"]
        report = json.loads((out / f"edge_{name}" / "complexity.json").read_text())
        assert (report["params"], report["macs"]) == (found["params"], found["macs"])
        (score,) = {row["map"] for row in results["files"] if row["constraint"] == name}
        assert score == pytest.approx(found["map"], abs=0.02)  # the same network, at float16
    file = out / results["files"][0]["waveform_file"]
    said = run("dcase_system.edge.classify", file, *clips_of(done))
    assert said.returncode == 0, said.stderr


def clips_of(done):
    (folder,) = (flag.partition("=")[2] for flag in done[1] if flag.startswith("--data_dir"))
    return sorted((Path(folder) / "audio").iterdir())[:1]


@pytest.mark.slow
def test_a_run_shows_everything_and_is_kept(results, done):
    first, flags, out = done
    page = (out / "report.html").read_text()
    names = (
        "table1",
        "improvement",
        "table2",
        "chosen",
        "figure3",
        "spread",
        "files",
        "complexity",
    )
    for name in (*names, "figure-figure3", "figure-figure4", "figure-scored_by_size"):
        assert f'id="{name}"' in page
    assert too_wide(first) == []
    for log in (out / "metrics").iterdir():
        assert_drawn(log, out / "tensorboard" / log.stem)
    again = run(RECIPE, *flags, f"--output_dir={out}")
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert json.loads((out / "results.json").read_text()) == results


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--epochs=3"], "Unknown command line flag 'epochs'"),
        (["--mixtures=1,2"], "--mixtures=['1', '2']: expected 3 positive integers"),
        (["--patterns=2,5,X"], "search space: depth_pattern is wrong"),
        (["--tuning_steps=0,3"], "expected 2 positive integers"),
        (["--budgets=small"], "expected millions of parameters, such as"),
        (["--budgets=0.01,0.01"], "search: constraints are wrong; expected different numbers"),
        (
            ["--budgets=3"],
            "no sub-network within the budget; expected 2,999,231 to 3,000,769 params",
        ),
        (["--corpus=audioset"], "class_labels_indices.csv: list is missing"),
    ],
)
def test_wrong_flags_end_in_one_line(place, given, message):
    flags = tiny_clips(place)
    done = run(RECIPE, *flags, *TOY, *given, f"--output_dir={place / 'wrong'}")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "wrong" / "config.json").exists()  # nothing that stands in the next's way
