"""Packages of other corpora are valid by the command in the README."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dcase_system.corpora.corpus import read_corpus, read_evaluation_list
from dcase_system.submission.assemble import SubmittedRun, SubmittedSystem, assemble
from dcase_system.submission.card import read_author_card
from dcase_system.submission.outputs import write_output
from dcase_system.submission.validate import validate_package
from tests.commands import run
from tests.corpora.lists import write_corpus
from tests.submission.conftest import CARD, DESCRIPTION

COMPLEXITY = {
    "params": 60_000,
    "macs": 29_000_000,
    "precision": "float16",
    "bytes": {"float16": 120_000},
}
SCORE = {"accuracy": 50.0, "logloss": 1.0}


def package_of(root: Path, scenes: list[str] | None = None) -> Path:
    """The package that a recipe makes of a corpus, with its lists."""
    corpus, clips = read_corpus(root, scenes), read_evaluation_list(root)
    results = {
        "overall": SCORE,
        "class_wise": dict.fromkeys(corpus.scenes, SCORE),
        "device_wise": dict.fromkeys(corpus.test().devices, SCORE),
    }
    runs = {}
    for split in corpus.splits:
        output = root / f"{split}.csv"
        values = np.random.default_rng(0).dirichlet(np.ones(len(corpus.scenes)), len(clips))
        write_output(output, clips, values, corpus.scenes)
        runs[split] = SubmittedRun(results, output, COMPLEXITY)
    return assemble(
        root / "submission",
        read_author_card(CARD),
        [SubmittedSystem("S1", DESCRIPTION, runs)],
        scenes=corpus.scenes,
        devices=corpus.devices,
        evaluation_filenames=clips,
    )


@pytest.mark.parametrize(
    ("scenes", "devices", "cities", "splits"),
    [
        (["Park", "bus stop"], ["iPhone", "Zoom-F8"], ["Lyon", "lyon"], (100,)),
        (["Straße", "naïve 'x'", "яр"], ["Ж", "MOTO g(7)"], ["São Paulo", "Ōsaka"], (5, 100)),
        (["yes", "null", "1.0"], ["ON", "NULL"], ["~", "true"], (25,)),
    ],
)
def test_the_command_accepts_the_package_of_such_a_corpus(
    tmp_path, scenes, devices, cities, splits
):
    write_corpus(tmp_path, scenes, devices, cities, splits)
    folders = f"--data_dir={tmp_path}", f"--evaluation_dir={tmp_path}"
    done = run("dcase_system.submission.validate", package_of(tmp_path), *folders)
    assert (done.returncode, done.stdout.splitlines()[-1][-5:]) == (0, "valid"), done.stdout


def test_the_command_takes_the_recipes_order_of_classes(tmp_path):
    write_corpus(tmp_path, ["bus", "tram"], ["a", "b"], ["lyon", "paris"])
    package = package_of(tmp_path, ["tram", "bus"])
    folders = f"--data_dir={tmp_path}", f"--evaluation_dir={tmp_path}"
    done = run("dcase_system.submission.validate", package, *folders, "--scenes=tram,bus")
    assert done.returncode == 0, done.stdout
    sorted_ones = run("dcase_system.submission.validate", package, *folders)
    assert sorted_ones.returncode == 1
    assert "columns are not in the official order" in sorted_ones.stdout


def test_splits_are_those_that_the_corpus_has_lists_of(tmp_path):
    write_corpus(tmp_path, ["bus", "tram"], ["a", "b"], ["lyon", "paris"], (100,))
    package = package_of(tmp_path)
    write_corpus(tmp_path, ["bus", "tram"], ["a", "b"], ["lyon", "paris"], (50, 100))
    folders = f"--data_dir={tmp_path}", f"--evaluation_dir={tmp_path}"
    done = run("dcase_system.submission.validate", package, *folders)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.endswith("output.split_50.csv: file is missing")
    assert (
        run("dcase_system.submission.validate", package, *folders, "--splits=100").returncode == 0
    )


# Names in lists have no tabs and line ends; all else is allowed.
NAMES = st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), min_size=1)
NAMES = NAMES.filter(lambda name: name.strip() != "")


@settings(max_examples=60, deadline=None)
@example(["bus", "tr\x85am"], [("a\x85", "lyon")], ["audio/1.wav"])
@given(
    st.lists(NAMES, min_size=2, max_size=4, unique_by=lambda x: unicodedata.normalize("NFC", x)),
    st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=3),
    st.lists(
        NAMES.map(lambda name: f"audio/{name.replace('/', '')}x.wav"), min_size=1, unique=True
    ),
)
def test_a_package_of_any_names_is_valid(tmp_path_factory, scenes, takes, evaluation):
    root = tmp_path_factory.mktemp("corpus")
    devices, cities = [list(one) for one in zip(*takes, strict=True)]
    write_corpus(root, scenes, devices, cities, (100,), tuple(evaluation))
    corpus = read_corpus(root)
    report = validate_package(
        package_of(root),
        scenes=corpus.scenes,
        devices=corpus.devices,
        splits=corpus.splits,
        evaluation_filenames=read_evaluation_list(root),
    )
    assert report.errors == ()
