"""The scene search's recipe at toy scale: its package, kept the second time, refusals."""

import json

import pytest

from dcase_system.corpora.demo import STEREO_TINY
from dcase_system.reporting.content import Picture, Table
from dcase_system.reporting.scene_search import scene_search_page
from tests.commands import run, tiny_clips, too_wide
from tests.reporting.tracing import traced

RECIPE = "recipes.scene_search"
TOY = [
    f"--seconds={STEREO_TINY.seconds}",
    "--reading=code",
    "--smallest_kib=20",
    "--largest_kib=60",
    "--candidates=1",
    "--epochs=1",
    "--final_epochs=1",
    "--batch_size=16",
]


def test_one_candidate_is_trained_chosen_and_packed(stereo, tmp_path):
    one = [*TOY, "--methods=random"]
    done = run(RECIPE, *stereo, *one, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert [(one["method"], one["model"]) for one in results["chosen"]] == [("random", "A and B")]
    assert (tmp_path / "final_random_a" / "model_card.md").is_file()
    package = tmp_path / "submission" / "task1b.zip"
    assert f"validated package: {package}" in done.stdout


@pytest.mark.slow
def test_a_run_ends_in_a_package_and_is_kept(stereo, tmp_path):
    both = [*TOY, "--methods=random", "--methods=nsga2"]
    done = run(RECIPE, *stereo, *both, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    package = tmp_path / "submission" / "task1b.zip"
    assert f"validated package: {package}" in done.stdout
    assert too_wide(done) == []
    assert traced((tmp_path / "report.html").read_text(), tmp_path) > 20
    assert (tmp_path / "final_random_a" / "model_card.md").is_file()
    results = json.loads((tmp_path / "results.json").read_text())
    chosen = [(one["method"], one["model"]) for one in results["chosen"]]
    assert chosen == [("random", "A and B"), ("nsga2", "A and B")]  # of one candidate each
    evaluation = next(flag for flag in stereo if "evaluation" in flag)
    checked = run("dcase_system.submission.validate", package, "--task=task1b", evaluation)
    assert checked.returncode == 0, checked.stdout
    again = run(RECIPE, *stereo, *both, f"--output_dir={tmp_path}")
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert json.loads((tmp_path / "results.json").read_text()) == results


@pytest.mark.slow
def test_every_table_and_figure_of_the_paper_is_on_the_page(stereo, tmp_path):
    """Tables 3 and 4, Figures 3 and 4, by the one command, as published."""
    flags = [*TOY, "--candidates=4", "--as_published"]
    done = run(RECIPE, *stereo, *flags, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert too_wide(done) == []
    settings = json.loads((tmp_path / "config.json").read_text())["settings"]
    assert settings["select_on_test"] is True
    assert [settings[plan]["calibration_segments"] for plan in ("candidate", "final")] == [0, 0]
    assert settings["methods"] == ["random"]
    page = scene_search_page(tmp_path)
    assert "the chosen ones is too optimistic" in page.summary
    tables = {table.name: table for table in page.blocks(Table)}
    assert list(tables["table4"].columns) == [
        *("network", "precision", "size MiB", "accuracy %", "macro %", "loss"),
        *("published size", "published accuracy"),
    ]
    assert list(tables["table3"].columns)[-2:] == ["published Model A", "published Model B"]
    assert "published mean" in tables["growth"].columns
    assert {"accuracy %", "macro %", "loss"} <= set(tables["candidates"].columns)
    pictures = {picture.name: picture for picture in page.blocks(Picture)}
    assert {"figure3", "figure4-random"} <= set(pictures)
    labels = [axes.get_xlabel() for axes in pictures["figure4-random"].figure.axes]
    assert labels[-1] == "test clips: accuracy, %"
    traced((tmp_path / "report.html").read_text(), tmp_path)


@pytest.mark.slow
def test_mono_clips_of_scenes_are_taken_for_both_ears(place, tmp_path):
    flags = tiny_clips(place)
    mono = [*TOY, "--corpus=scenes", "--seconds=1", "--segment_frames=100"]
    done = run(RECIPE, *flags, *mono, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "10 scenes" in done.stderr
    assert len(json.loads((tmp_path / "results.json").read_text())["classes"]) == 10
    assert not (tmp_path / "submission").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--teachers=x"], "Unknown command line flag 'teachers'"),
        (["--smallest_kib=900000", "--largest_kib=999999"], "nothing falls into the size window"),
        (["--smallest_kib=9", "--largest_kib=3"], "size window is wrong"),
        (["--seconds=1"], "clip is shorter than a segment"),
        (["--seconds=2"], "expected 2 s; received 1.3 s; give --seconds=1.3 if all are"),
        (["--train_list=none.csv"], "list of clips is missing"),
        (["--storage=mysql://u:secret@h/d"], "unknown kind of storage"),
    ],
)
def test_wrong_flags_end_in_one_line(stereo, tmp_path, given, message):
    done = run(RECIPE, *stereo, *TOY, *given, f"--output_dir={tmp_path / 'wrong'}")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr and "secret" not in done.stderr
    assert not (tmp_path / "wrong" / "candidates").exists()


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("postgresql://u:secret@127.0.0.1:1/d", "a password on a command line is seen by"),
        ("postgresql://u@127.0.0.1:1/d", "u@127.0.0.1:1/d: database cannot be used"),
    ],
)
def test_a_database_is_refused_before_clips_are_read(stereo, tmp_path, storage, message):
    done = run(RECIPE, *stereo, *TOY, f"--storage={storage}", f"--output_dir={tmp_path / 'wrong'}")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert message in line and "secret" not in line
    assert not (tmp_path / "wrong").exists()


def test_mono_clips_are_refused(place, tmp_path):
    flags = tiny_clips(place)
    done = run(RECIPE, *flags, *TOY, f"--output_dir={tmp_path / 'wrong'}")
    assert done.returncode == 1
    assert "scene is not in the class list; expected indoor, outdoor, transportation" in done.stderr
