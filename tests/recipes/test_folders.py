"""Folders that recipes write to: those of another run or of something else are refused first."""

import json
import sys

import pytest
from absl import flags

from dcase_system.parallel.tasks import Task
from dcase_system.runs import FORMAT
from recipes import _challenge_package, _executor, challenge_package  # noqa: F401 (its flags)
from recipes._flags import given
from tests.commands import TOY, on_tiny, run, tiny_clips
from tests.recipes.test_scene_search import TOY as SCENES
from tests.recipes.test_supernet import TOY as SUPERNET
from tests.robustness.runs import results

TAUGHT = ["--split=5", "--members=cp_mobile"]


def clips(flags_of_clips, cache):
    """The flags, with a cache of decoded clips that does not exist yet."""
    return [
        f"--cache_dir={cache}" if flag.startswith("--cache_dir") else flag
        for flag in flags_of_clips
    ]


@pytest.fixture
def commands(place, stereo, tmp_path):
    """Each recipe with flags that it runs with."""
    tiny, cache = clips(tiny_clips(place), tmp_path / "cache"), tmp_path / "cache"
    of_package = clips(on_tiny(place), cache)
    return {
        "split5": [*of_package],
        "split10": [*of_package, "--system=S1"],
        "teachers": [*tiny, *TOY, *TAUGHT],
        "teachers --only": [*tiny, *TOY, *TAUGHT, "--only=1"],
        "magnitude": [*tiny, *TOY, "--split=5"],
        "challenge_package": [*of_package, "--nodistill", "--systems=dense"],
        "audioset_supernet": [*tiny, *SUPERNET],
        "audioset_supernet --join": [*tiny, *SUPERNET, "--join"],
        "scene_search": [*clips(stereo, cache), *SCENES],
        "scene_search --join": [*clips(stereo, cache), *SCENES, "--join"],
        "scene_networks": [
            flag for flag in clips(stereo, cache) if not flag.startswith("--evaluation_dir")
        ],
        "scene_search --corpus=scenes": [*tiny, *SCENES, "--corpus=scenes", "--seconds=1"],
    }


NAMES = [
    *("split5", "split10"),  # the others are the same but for their split, see test_recipes.py
    *("teachers", "teachers --only", "magnitude", "challenge_package"),
    *("audioset_supernet", "audioset_supernet --join"),
    *("scene_search", "scene_search --join", "scene_search --corpus=scenes"),
    "scene_networks",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_of_another_run_is_refused_before_any_clip_is_decoded(commands, tmp_path, name):
    folder = tmp_path / "run"
    folder.mkdir()
    record = json.dumps({"format": FORMAT, "settings": {"kind": "other"}, "versions": {}})
    (folder / "config.json").write_text(record)
    given = [*commands[name], f"--output_dir={folder}"]
    done = run(f"recipes.{name.split()[0]}", *given)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        f"error: {folder}: folder holds a run with other settings: kind is other"
    )
    assert "expected the same settings, --overwrite, which replaces that run, or another" in last
    assert "Traceback" not in done.stderr
    assert [path.name for path in folder.iterdir()] == ["config.json"]
    assert (folder / "config.json").read_text() == record
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "join" not in name and "only" not in name]
)
def test_files_of_something_else_are_refused_with_overwrite_too(commands, tmp_path, name):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "report.html").write_text("mine")
    given = [*commands[name], f"--output_dir={tmp_path / 'thesis'}", "--overwrite"]
    done = run(f"recipes.{name.split()[0]}", *given)
    assert done.returncode == 1
    assert "thesis: folder is not empty and holds no run; expected" in done.stderr.splitlines()[-1]
    assert (tmp_path / "thesis" / "report.html").read_text() == "mine"
    assert len(list((tmp_path / "thesis").iterdir())) == 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("recipe", "flag"),
    [("teachers", "--only=1"), ("scene_search", "--join"), ("audioset_supernet", "--join")],
)
def test_whoever_helps_a_run_cannot_replace_it(tmp_path, recipe, flag):
    given = [flag, "--overwrite", f"--output_dir={tmp_path}", f"--cache_dir={tmp_path}"]
    done = run(f"recipes.{recipe}", *given)
    assert done.returncode == 1
    assert f"expected it without {flag.partition('=')[0]}" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_package_is_replaced_with_all_of_its_runs_and_only_on_demand(place, tmp_path):
    given = [*on_tiny(place), "--systems=dense", "--splits=5", "--members=cp_mobile"]
    given += ["--teacher_epochs=1", "--parallel_tasks=2", f"--output_dir={tmp_path / 'package'}"]
    done = run("recipes.challenge_package", *given)
    assert done.returncode == 0, done.stderr
    left = results(tmp_path / "package")
    refused = run("recipes.challenge_package", *given, "--teacher_epochs=2")
    assert refused.returncode == 1
    assert "flags.teacher_epochs is 1 there and 2 here;" in refused.stderr.splitlines()[-1]
    assert results(tmp_path / "package") == left
    alone = run("recipes.challenge_package", *given, "--parallel_tasks=1")
    assert alone.returncode == 0, alone.stderr
    assert "epoch" not in alone.stderr and results(tmp_path / "package") == left
    again = run("recipes.challenge_package", *given, "--teacher_epochs=2", "--overwrite")
    assert again.returncode == 0, again.stderr
    logs = (tmp_path / "package" / "teachers" / "split_5").glob("*/metrics.jsonl")
    assert [len(log.read_text().splitlines()) for log in logs] == [2]
    assert results(tmp_path / "package") != left


@pytest.fixture
def parsed():
    """Sets flags of the package's recipe, for as long as a test takes."""

    def parse(*given):
        flags.FLAGS(["recipe", *given])

    yield parse
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()


def test_the_recipes_of_a_package_and_helpers_of_a_search_never_replace_a_run(
    parsed, tmp_path, monkeypatch
):
    parsed("--overwrite", "--parallel_tasks=2", "--members=cp_mobile,cp_mobile_2023")
    tasks = _challenge_package.Tasks(tmp_path, ["S1"], ["5"], [0])
    assert len(tasks.all()) == 4
    assert not [
        argument for task in tasks.all() for argument in task.arguments if "overwr" in argument
    ]
    begun: list[Task] = []
    monkeypatch.setattr(_executor.Local, "run", lambda _, tasks: begun.extend(tasks))
    monkeypatch.setattr(sys, "argv", ["recipe", "--overwrite"])
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", _executor.__spec__)
    _executor.search_together(tmp_path)
    assert len(begun) == 2
    for task in begun:
        said = [one for one in task.arguments if one.endswith("overwrite")]
        assert said == ["--overwrite", "--nooverwrite"]


def test_every_flag_that_a_package_passes_on_is_compared_or_changes_no_result(parsed):
    passed_on = _challenge_package.TO_TEACHERS | _challenge_package.TO_STUDENTS
    parsed(
        "--validation_fraction=0.1",
        "--impulse_responses=x",
        "--steps=2",
        "--mixup_alpha=0.3",
        "--label_smoothing=0.1",
        "--ema_decay=0.9",
        "--front_end=long_window",
        "--batch_size=3",
        "--accumulation=2",
        "--learning_rate=0.1",
        "--mask_frames=3",
        "--seconds=2",
        "--label_weight=0.1",
        "--temperature=3",
        "--tflite_formats=int8",
        "--qat_epochs=1",
        "--embedding_output=x",
    )
    compared = given(*_challenge_package.DECIDING)
    elsewhere = {"data_dir", "evaluation_dir", "scenes", "seed"}  # by lists and by themselves
    free = {"cache_dir", "author_card", "distribution"}
    assert passed_on - compared.keys() == elsewhere | free | {"epochs"}  # not with --steps
    assert compared["steps"] == 2 and compared["distill"] is True
