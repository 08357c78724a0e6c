"""The scene search's recipe at toy scale: its package, kept the second time, refusals."""

import json

import pytest

from dcase_system.corpora.demo import STEREO_TINY
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


@pytest.mark.slow
def test_a_run_ends_in_a_package_and_is_kept(stereo, tmp_path):
    done = run(RECIPE, *stereo, *TOY, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    package = tmp_path / "submission" / "task1b.zip"
    assert f"validated package: {package}" in done.stdout
    assert too_wide(done) == []
    assert traced((tmp_path / "report.html").read_text(), tmp_path) > 20
    assert (tmp_path / "final_random" / "model_card.md").is_file()
    results = json.loads((tmp_path / "results.json").read_text())
    assert [one["method"] for one in results["chosen"]] == ["random", "nsga2"]
    evaluation = next(flag for flag in stereo if "evaluation" in flag)
    checked = run("dcase_system.submission.validate", package, "--task=task1b", evaluation)
    assert checked.returncode == 0, checked.stdout
    again = run(RECIPE, *stereo, *TOY, f"--output_dir={tmp_path}")
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr
    assert json.loads((tmp_path / "results.json").read_text()) == results


@pytest.mark.slow
def test_mono_clips_of_scenes_are_taken_for_both_ears(place, tmp_path):
    flags = tiny_clips(place)
    mono = [*TOY, "--corpus=scenes", "--seconds=1", "--segment_frames=100", "--methods=random"]
    done = run(RECIPE, *flags, *mono, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "10 scenes" in done.stderr
    assert len(json.loads((tmp_path / "results.json").read_text())["classes"]) == 10
    assert not (tmp_path / "submission").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--teachers=x"], "no meaning in this command: --teachers"),
        (["--smallest_kib=900000", "--largest_kib=999999"], "nothing falls into the size window"),
        (["--smallest_kib=9", "--largest_kib=3"], "size window is wrong"),
        (["--seconds=1"], "clip is shorter than a segment"),
        (["--seconds=2"], "expected 2 s; received 1.3 s; give --seconds=1.3 if all are"),
        (["--train_list=none.csv"], "list of clips is missing"),
        (["--storage=mysql://u:secret@h/d"], "no storage of a search"),
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
