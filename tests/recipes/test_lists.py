"""Recipes refuse lists that share clips before any audio is read."""

import pytest

from tests.commands import TOY, run
from tests.corpora.lists import write_lists
from tests.submission.conftest import CARD

SCENES = ("bus", "park")
ROWS = [
    (f"audio/{scene}-{number}.wav", scene, f"lyon-{number}", "a")
    for scene in SCENES
    for number in range(3)
]
CLASSES = [
    (f"audio/{scene}-{number}-a.wav", label, f"lyon-{number}", "a")
    for scene, label in (("airport", "indoor"), ("park", "outdoor"), ("tram", "transportation"))
    for number in range(2)
]


@pytest.fixture(scope="module")
def shared_clip(tmp_path_factory):
    """Folders of lists, without any audio, that share the last clip."""
    root = tmp_path_factory.mktemp("lists")
    last, last_class = len(ROWS) - 1, len(CLASSES) - 1
    train = [0, 1, 3, 4, last]
    scenes = write_lists(
        root / "scenes", ROWS, split5=[0, 3], split100=train, test=[2, last], fold1_test=[2]
    )
    task1b = write_lists(
        root / "task1b", CLASSES, fold1_train=[0, 2, last_class], fold1_evaluate=[1, 3, last_class]
    )
    return {"scenes": scenes, "task1b": task1b}


@pytest.mark.parametrize(
    ("recipe", "layout", "arguments"),
    [
        ("split100", "scenes", []),
        ("teachers", "scenes", ["--split=100", "--members=cp_mobile"]),
        ("magnitude", "scenes", ["--split=100"]),
        (
            "challenge_package",
            "scenes",
            ["--evaluation_dir={root}", "--splits=5,100", "--systems=S1", f"--author_card={CARD}"],
        ),
        ("audioset_supernet", "scenes", ["--corpus=mixtures", "--mixtures=8,4,4"]),
        ("scene_search", "task1b", []),
    ],
)
def test_clips_in_both_lists_are_refused_before_audio_is_read(
    shared_clip, tmp_path, recipe, layout, arguments
):
    root = shared_clip[layout]
    toy = [] if recipe == "audioset_supernet" else TOY
    done = run(
        f"recipes.{recipe}",
        f"--data_dir={root}",
        f"--cache_dir={tmp_path / 'cache'}",
        f"--output_dir={tmp_path / 'run'}",
        *toy,
        *(argument.format(root=root) for argument in arguments),
    )
    names = ("split100.csv", "test.csv")
    if layout == "task1b":
        names = ("fold1_train.csv", "fold1_evaluate.csv")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        f"error: {names[1]}: clips are also in {names[0]}: training clips cannot be scored"
    ), done.stderr
    assert not (tmp_path / "cache").exists() and not (tmp_path / "run").exists()
