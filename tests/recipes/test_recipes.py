"""Every recipe as a user runs it: a command, at toy scale."""

import ast
import json
import os
import re
import shlex
import shutil
import signal
import time
import zipfile

import pytest

from dcase_system.corpora import tau
from dcase_system.corpora.demo import TINY, write_demo_corpus
from dcase_system.corpora.demo_marker import MARKER
from tests.commands import ALONE, ROOT, TOY, Started, command, on_tiny, run, too_wide
from tests.robustness.runs import results

SPLITS = (5, 100)
PACKAGE = ["--systems=dense", "--nodistill", "--splits=5,100"]
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))


@pytest.fixture(scope="module")
def package(place):
    done = run(
        "recipes.challenge_package", *on_tiny(place), *PACKAGE, f"--output_dir={place / 'package'}"
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_package_recipe_trains_on_each_split_that_it_is_given(package, place):
    finished = {path.parent.name for path in (place / "package" / "dense").glob("*/config.json")}
    assert finished == {f"split_{percent}" for percent in SPLITS}


def test_split_recipes_differ_by_their_split_and_the_demo_s_epochs_alone():
    bodies = set()
    for percent in tau.SPLITS:
        module = ast.parse((ROOT / "recipes" / f"split{percent}.py").read_text())
        assert f"{percent} percent split" in ast.get_docstring(module)
        body = ast.unparse(module.body[1:])
        assert body.count(f"_split.run({percent})") == 1
        body, demos = re.subn(r"^DEMO = .*$", "", body, flags=re.MULTILINE)
        assert demos == 1
        bodies.add(body.replace(f"_split.run({percent})", "_split.run()"))
    assert len(bodies) == 1


def test_the_commands_that_the_package_recipe_ends_with_work(package, place):
    text = package.stdout.partition("Next:\n")[2].replace("\\\n", " ")
    commands = [shlex.split(line)[2:] for line in text.splitlines()]
    assert [module for module, *_ in commands] == [
        "dcase_system.submission.validate",
        "dcase_system.edge.classify",
    ]
    for command_line in commands:
        done = run(*command_line)
        assert done.returncode == 0, done.stdout + done.stderr
    zip_path = place / "package" / "submission" / "task1.zip"
    assert str(zip_path) in commands[0]
    names = zipfile.ZipFile(zip_path).namelist()
    assert len([name for name in names if name.endswith(".csv")]) == len(SPLITS)


def test_the_package_recipe_ends_with_a_table(package):
    assert "Table 2: macro accuracy on the dev-test clips" in package.stdout
    assert "validated package:" in package.stdout
    assert "trainings on splits 5, 100: students: 2" in package.stderr
    assert too_wide(package) == []


def test_a_finished_run_is_not_lost_to_other_flags_or_another_corpus(package, place, tmp_path):
    folder, given = place / "package" / "dense" / "split_5", [*on_tiny(place), *ALONE]
    left, log = results(folder), (folder / "metrics.jsonl").read_text()
    shutil.copy(place / "demo" / MARKER, tmp_path)
    other = shutil.copytree(place / "demo" / "development", tmp_path / "development")
    listed = (other / "split_setup" / "split5.csv").read_text().splitlines(keepends=True)
    (other / "split_setup" / "split5.csv").write_text("".join(listed[:-2]))
    clips = len(listed) - 1
    for changed, message in [
        (["--epochs=2", "--seed=1"], "plan.epochs is 1 there and 2 here, plan.seed is 0 there"),
        (["--batch_size=8", "--learning_rate=0.1"], "plan.learning_rate is 0.005 there and 0.1"),
        (["--system=baseline"], "plan.architecture is sscp_mobile_32 there and cp_mobile here;"),
        (["--qat_epochs=1", "--tflite_formats=int8"], 'aware is none there and {"epochs": 1'),
        ([f"--data_dir={other}"], f"clips.train is {clips} clips, "),
        ([f"--scenes={','.join(reversed(_scenes(folder)))}"], "scenes is "),
    ]:
        refused = run("recipes.split5", *given, *changed, f"--output_dir={folder}")
        assert refused.returncode == 1
        last = refused.stderr.splitlines()[-1]
        assert message in last and "--overwrite" in last, last
    assert results(folder) == left and (folder / "metrics.jsonl").read_text() == log
    same = run("recipes.split5", *given, f"--cache_dir={tmp_path / 'c'}", f"--output_dir={folder}")
    assert same.returncode == 0, same.stderr
    assert "epoch" not in same.stderr  # what does not change a result may differ
    assert results(folder) == left
    whole = [*on_tiny(place), *PACKAGE, "--epochs=2", f"--output_dir={place / 'package'}"]
    refused = run("recipes.challenge_package", *whole)
    assert "flags.epochs is 1 there and 2 here;" in refused.stderr.splitlines()[-1]
    assert results(folder) == left


def _scenes(folder):
    return json.loads((folder / "config.json").read_text())["settings"]["scenes"]


@pytest.mark.slow
def test_a_second_call_of_the_package_repeats_nothing_and_gives_the_same_bytes(package, place):
    zip_path = place / "package" / "submission" / "task1.zip"
    before = zip_path.read_bytes()
    again = run(
        "recipes.challenge_package", *on_tiny(place), *PACKAGE, f"--output_dir={place / 'package'}"
    )
    assert again.returncode == 0, again.stderr
    assert zip_path.read_bytes() == before
    assert "epoch" not in again.stderr


def test_ctrl_c_ends_in_one_line_and_the_next_call_finishes(place):
    arguments = [*on_tiny(place), *ALONE, "--epochs=6", f"--output_dir={place / 'cut'}"]
    started = Started(command("recipes.split100", *arguments))
    checkpoints = place / "cut" / "checkpoints"
    while started.process.is_alive() and not (
        checkpoints.is_dir() and any(checkpoints.glob("student-*"))
    ):
        time.sleep(0.1)
    os.kill(started.process.pid, signal.SIGINT)
    cut = started.wait()
    errors = cut.stderr.decode()
    assert cut.returncode == 130, errors
    assert errors.splitlines()[-1].startswith("error: interrupted")
    assert "Traceback" not in errors
    assert not (place / "cut" / "student").exists()
    of_devices = ["--device_specific", "--device_epochs=1", "--device_min_clips=20"]
    done = run("recipes.split100", *arguments, *of_devices)
    assert done.returncode == 0, done.stderr
    assert "resuming after epoch" in done.stderr
    assert "dev-test macro accuracy" in done.stdout
    assert too_wide(done) == []
    assert "device b: 4 training clips, fewer than 20" in done.stderr
    predictions = place / "cut" / "submission" / "predictions" / "Doe_EXU_task1_1"
    assert f"validated predictions of 2025: {predictions}" in done.stdout
    costs = json.loads((predictions / "complexity.json").read_text())
    assert list(costs["per_device"]) == list(tau.DEVICES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stray"], "error: unexpected argument 'stray'"),
        (["--data_dir=nowhere"], "error: nowhere: data folder does not exist"),
        (["--author_card=nowhere.yaml"], "error: nowhere.yaml: author card cannot be read"),
        (["--evaluation_dir={demo}/development/audio"], "fold1_test.csv: file is missing"),
        (
            ["--scenes=bus,tram"],
            "scene is not in the class list; expected bus, tram; received airport",
        ),
    ],
)
def test_wrong_input_ends_in_one_line(place, arguments, message):
    given = [argument.format(demo=place / "demo") for argument in arguments]
    done = run("recipes.split5", *on_tiny(place), f"--output_dir={place / 'wrong'}", *given)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (place / "wrong").exists()


def test_a_broken_clip_is_named_before_training(place, tmp_path):
    demo = write_demo_corpus(tmp_path / "demo", size=TINY)
    broken = sorted((demo.development / "audio").glob("*-s4.wav"))[0]
    broken.write_bytes(broken.read_bytes()[:1_000])
    done = run(
        "recipes.split5",
        *TOY,
        f"--data_dir={demo.development}",
        f"--cache_dir={tmp_path}",
        f"--output_dir={tmp_path / 'run'}",
    )
    assert done.returncode == 1
    assert broken.name in done.stderr.splitlines()[-1]
    assert "truncated" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "--systems=S1,tf_sepnet",
            "unknown, repeated or too many; expected one to 4 of S1, S2",
        ),
        ("--systems=S1,S1", "flag --systems=['S1', 'S1']"),
        ("--splits=5,20", "unknown, repeated or too many; expected one to 5 of 5, 10"),
    ],
)
def test_a_package_of_what_is_not_there_is_refused(place, argument, message):
    done = run("recipes.challenge_package", *on_tiny(place), argument)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipes_are_short_leaves(recipe):
    text = (ROOT / "recipes" / f"{recipe}.py").read_text()
    assert text.count("\n") <= 150
