"""Recipes refuse an author card that nobody has filled in before anything is trained or decoded."""

import pytest

from tests.commands import TOY, run
from tests.corpora.lists import noisy_corpus, write_lists
from tests.submission.conftest import CARD

CLASSES = [
    (f"audio/{scene}-{number}-a.wav", label, f"lyon-{number}", "a")
    for scene, label in (("airport", "indoor"), ("park", "outdoor"), ("tram", "transportation"))
    for number in range(2)
]


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    scenes = noisy_corpus(folder / "scenes", 1.0)
    task1b = write_lists(
        folder / "task1b", CLASSES, fold1_train=[0, 2, 4], fold1_evaluate=[1, 3, 5], fold1_test=[1]
    )
    return {
        "scenes": (scenes, scenes / "evaluation"),
        "task1b": (task1b, task1b),
    }


@pytest.mark.parametrize(
    ("recipe", "layout", "arguments", "field"),
    [
        ("split100", "scenes", [], "authors[0].lastname"),
        ("challenge_package", "scenes", ["--splits=100"], "authors[0].lastname"),
        ("challenge_package", "scenes", ["--splits=100", "--author_card={named}"], "systems.S1.na"),
        ("scene_search", "task1b", ["--author_card={named}"], "systems.scene_random_a.name"),
    ],
)
def test_placeholders_are_refused_before_anything_is_read(
    roots, tmp_path, recipe, layout, arguments, field
):
    root, evaluation = roots[layout]
    card = tmp_path / "card.yaml"
    names = "{name: Example, abbreviation: EXU}"
    text = CARD.read_text(encoding="utf-8").replace(
        "systems:", f"systems:\n  scene_random_a: {names}"
    )
    card.write_text(text.replace("name: SSCP-Mobile S1", "name: Example of S1"), encoding="utf-8")
    done = run(
        f"recipes.{recipe}",
        f"--data_dir={root}",
        f"--evaluation_dir={evaluation}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *TOY,
        *(argument.format(named=card) for argument in arguments),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    path = (
        card
        if any("{named}" in argument for argument in arguments)
        else ("submissions/author_card.yaml")
    )
    assert line.startswith(f"error: {path}: field {field}") and "holds a placeholder" in line
    assert not (tmp_path / "cache").exists() and not (tmp_path / "run").exists()


def test_without_a_package_nobody_is_asked(roots, tmp_path):
    root, _ = roots["scenes"]
    done = run(
        "recipes.split100",
        f"--data_dir={root}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        "--nodistill",
        "--target_bytes=1",  # refused later
        *TOY,
    )
    assert done.returncode == 1
    assert "no pruning meets the limits" in done.stderr
