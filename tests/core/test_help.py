"""`--help` of every command, and errors of wrong flags."""

import json
import re
import subprocess
import sys

import pytest

from tests.commands import ROOT, run

COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for folder in ("dcase_system", "recipes")
    for path in (ROOT / folder).rglob("*.py")
    if "cli.run(" in path.read_text()
)
RECIPES = [name for name in COMMANDS if name.startswith("recipes.")]
FLAG = re.compile(r"  --(?:\[no\])?(\w+)(=\S+)?(?:  +(\S.*))?")


def described(text):
    """Returns the help text of each flag: its meaning and its default."""
    found = {}
    for line in text.splitlines():
        begun = FLAG.fullmatch(line)
        if begun:
            name = begun[1]
            found[name] = [begun[3] or ""]
        elif line.startswith(" " * 26):
            found[name].append(line)
    return {
        name: re.fullmatch(r"(.+) \[(.+)\]", " ".join(" ".join(lines).split())).groups()
        for name, lines in found.items()
    }


def answers(flag):
    """Returns each command's answer to a flag if TensorFlow cannot be imported."""
    line = [sys.executable, "-m", "tests.core.without_tensorflow", flag, *COMMANDS]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    return {
        command: subprocess.CompletedProcess([command, flag], *answer)
        for command, answer in json.loads(done.stdout).items()
    }


@pytest.fixture(scope="module")
def pages():
    return answers("--help")


def test_a_wrong_flag_is_refused_before_tensorflow_is_imported():
    for command, done in answers("--no_such_flag").items():
        expected = "error: Unknown command line flag 'no_such_flag'"
        assert (done.returncode, done.stderr.startswith(expected)) == (1, True), command


def test_every_recipe_is_a_command():
    files = {path.stem for path in (ROOT / "recipes").glob("[!_]*.py")}
    assert {f"recipes.{name}" for name in files} == set(RECIPES)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_goes_to_standard_output_in_80_columns(pages, command):
    done = pages[command]
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "RuntimeWarning" not in line] == []
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_has_an_example(pages, command):
    lines = [line.strip() for line in pages[command].stdout.splitlines()]
    assert any(re.match(rf"python -m {re.escape(command)}( |$)", line) for line in lines)


def assert_page_has_the_flags(page: str, names: list[str], command: str) -> None:
    assert set(described(page)) == set(names)
    assert names or command.endswith((".doctor", ".reporting", ".distillation"))


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - set(RECIPES)))
def test_the_page_shows_the_flags_that_the_command_takes(command):
    done = run("tests.core.read_flags", command, "--help")
    _, *names = done.stderr.splitlines()[-1].split()
    assert_page_has_the_flags(done.stdout, names, command)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_answers_without_tensorflow(recipe):
    line = [sys.executable, "-m", "tests.core.read_flags", recipe, "--help"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    has_tensorflow, *names = done.stderr.splitlines()[-1].split()
    assert has_tensorflow == "False"
    assert_page_has_the_flags(done.stdout, names, recipe)


@pytest.mark.parametrize(
    ("recipe", "flag", "default"),
    [
        ("split5", "system", "S1"),
        (
            "split5",
            "epochs",
            "150; 40 on the demo corpus; 375 for pruned systems; "
            "60 for pruned systems on the demo corpus",
        ),
        ("split100", "batch_size", "256; 64 on the demo corpus"),
        ("split50", "learning_rate", "0.005"),
        ("split50", "label_weight", "0.02"),
        ("magnitude", "epochs", "375; 15 on the demo corpus"),
        (
            "teachers",
            "batch_size",
            "80 for PaSST with initial weights and for PaSST from scratch; 64 for CP-ResNet and "
            "for YAMNet with initial weights and on the demo corpus; 256 for others",
        ),
        (
            "teachers",
            "members",
            "passt_s,passt_s,passt_s,passt_s; cp_mobile,passt_tiny on the demo corpus",
        ),
        ("scene_search", "candidates", "510; 6 on the demo corpus"),
        ("scene_search", "methods", "random"),
        ("split25", "seconds", "1"),
        ("teachers", "seconds", "1"),
        ("scene_search", "seconds", "10; 2.6 on the demo corpus"),
        ("audioset_supernet", "seconds", "10; 1 with --corpus=mixtures and on the demo corpus"),
        ("audioset_supernet", "mixture_seconds", "that of a clip"),
        ("scene_search", "epochs", "3"),
        ("scene_search", "final_epochs", "60; 4 on the demo corpus"),
        ("scene_search", "as_published", "off"),
        ("scene_networks", "epochs", "60; 2 on the demo corpus"),
        ("scene_search", "reading", "paper; code on the demo corpus"),
        ("scene_search", "validation_fraction", "0.25"),
        (
            "audioset_supernet",
            "tuning_steps",
            "10000,100000; 75,750 with --corpus=mixtures; 8,16 on the demo corpus",
        ),
        (
            "audioset_supernet",
            "alone_steps",
            "100000; 750 with --corpus=mixtures; 16 on the demo corpus",
        ),
        ("audioset_supernet", "width_per", "block"),
        (
            "audioset_supernet",
            "budgets",
            "0.8,1.8,2.8,3.8; with --width other than 1 the same shares of the supernet's",
        ),
        (
            "audioset_supernet",
            "patterns",
            "2,2,X;2,X,X;X,X,X;none; 2,2,X;none on the demo corpus",
        ),
        ("audioset_supernet", "draws", "25; 3 on the demo corpus"),
        ("challenge_package", "systems", "S1,S2c,S3; S1 on the demo corpus"),
        ("challenge_package", "epochs", "those of the split's recipe"),
    ],
)
def test_defaults_are_those_of_the_recipe(pages, recipe, flag, default):
    assert described(pages[f"recipes.{recipe}"].stdout)[flag][1] == default


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("flag", ["epochs", "batch_size", "learning_rate", "validation_fraction"])
def test_every_hyper_parameter_of_a_training_has_a_default(pages, recipe, flag):
    assert described(pages[recipe].stdout).get(flag, ("", "not taken"))[1] != "none"


@pytest.mark.parametrize(
    ("command", "flag", "shown"),
    [
        (
            "edge.export",
            "output_dir",
            ("Output folder; files of an earlier export are replaced.", "required"),
        ),
        ("edge.page", "serve", ("Serve the page on this machine until Ctrl-C.", "off")),
        (
            "edge.latency",
            "threads",
            ("Numbers of threads to measure with. Comma-separated.", "1,2"),
        ),
        ("edge.classify", "pcm_rate", ("Rate of the samples on standard input.", "the model's")),
        ("submission.validate", "splits", (..., "those --data_dir has lists of, or all five")),
    ],
)
def test_defaults_are_those_of_the_flag(pages, command, flag, shown):
    meaning, default = described(pages[f"dcase_system.{command}"].stdout)[flag]
    assert default == shown[1]
    assert shown[0] in (meaning, ...)


def test_choices_are_shown_beside_the_flag_or_if_there_are_many_below(pages):
    assert "  --width_per=block|layer\n" in pages["dcase_system.supernet.space"].stdout
    text = pages["dcase_system.edge.microcontroller"].stdout
    assert "  --accelerator=NAME " in text
    assert "One of ethos-u55-32, ethos-u55-64," in described(text)["accelerator"][0]


@pytest.mark.parametrize("spelling", ["-h", "-help", "--helpshort", "--helpfull"])
def test_help_is_shown_wherever_it_is_asked_for(pages, spelling):
    done = run("dcase_system.edge.export", "folder", "--formats=none", spelling, "--unknown")
    assert done.returncode == 0
    assert done.stdout == pages["dcase_system.edge.export"].stdout


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (
            "recipes.split5",
            ["--epoch=1"],
            "Unknown command line flag 'epoch'. Did you mean: epochs ?",
        ),
        ("recipes.magnitude", ["--qat_epochs=1"], "Unknown command line flag 'qat_epochs'"),
        ("recipes.scene_search", ["--teachers=x"], "Unknown command line flag 'teachers'"),
        (
            "recipes.scene_search",
            ["--evaluation_dir=x"],
            "evaluation clips without development clips: expected --data_dir too",
        ),
        ("recipes.split5", ["--epochs=x"], "flag --epochs=x: expected a number"),
        ("recipes.split5", ["--epochs"], "Missing value for flag --epochs"),
        (
            "recipes.split5",
            ["--tflite_formats=x"],
            "expected some of float32, float16, dynamic, int8",
        ),
        ("recipes.split5", ["x"], "unexpected argument 'x'; flags are written --name=value"),
        ("dcase_system.edge.export", ["x"], "missing --output_dir, --clips_dir"),
        ("dcase_system.edge.page", ["--output_dir=x"], "expected one .tflite file"),
    ],
)
def test_wrong_arguments_end_in_one_line_that_names_help(command, arguments, message):
    done = run(command, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if "RuntimeWarning" not in line]
    assert line.startswith("error: ")
    assert message in line
    assert line.endswith("(see --help)")
