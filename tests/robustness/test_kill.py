"""A run killed at any moment and started again ends with an uninterrupted run's bytes."""

import json
import time
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from dcase_system.corpora.demo import (
    STEREO_TINY,
)
from dcase_system.scene_search.scene_space import SceneSpace
from tests.commands import FORKS, TOY, on_tiny, tiny_clips
from tests.robustness.runs import killed_until_done, results, search
from tests.training.curves import assert_drawn

SEED = 0
_PACKAGE = ["--systems=S1", "--splits=5", "--members=cp_mobile", "--teacher_epochs=2", "--epochs=4"]
_SCENES = ["--reading=code", "--smallest_kib=20", "--largest_kib=60", "--candidates=4"]
_SCENES += [f"--seconds={STEREO_TINY.seconds}", "--epochs=1", "--final_epochs=1", "--batch_size=16"]
_SUPERNET = ["--corpus=mixtures", "--mixtures=48,32,32", "--width=0.0625", "--batch_size=16"]
_SUPERNET += ["--patterns=2,2,X", "--draws=3", "--tflite_formats=float16", "--teacher_steps=3"]
_SUPERNET += ["--largest_steps=3", "--samples_steps=3", "--alone_steps=3", "--tuning_steps=3,6"]


def _same_after_kills(module, arguments, folder, kills, longest_seconds):
    """Runs to the end without a kill, then with so many, again and again from an empty folder."""
    generator, errors = np.random.default_rng(SEED), folder / "errors.txt"
    whole = folder / "whole"
    given = (module, [*arguments, f"--output_dir={whole}"], errors, generator)
    killed_until_done(*given, kills=0, longest_seconds=1)
    expected, done, runs = results(whole), 0, 0
    assert expected
    while done < kills:
        cut = folder / f"cut{runs}"
        given = (module, [*arguments, f"--output_dir={cut}"], errors, generator)
        killed = killed_until_done(*given, kills=kills - done, longest_seconds=longest_seconds)
        assert results(cut) == expected
        assert not list(cut.rglob(".partial-*"))
        done, runs = done + killed.kills, runs + 1
        print(f"{module}: {killed.kills} kills, {len(expected)} files the same", flush=True)
    return [folder / f"cut{run}" for run in range(runs)]


@pytest.mark.slow
def test_a_recipe_killed_twice_ends_with_the_same_bytes(place, tmp_path):
    arguments = [*tiny_clips(place), *TOY, "--split=5", "--members=cp_mobile", "--epochs=2"]
    cut = _same_after_kills("recipes.teachers", arguments, tmp_path, kills=2, longest_seconds=12)
    for log in (log for folder in cut for log in folder.glob("*/metrics.jsonl")):
        assert_drawn(log, log.parents[1] / "tensorboard" / log.parent.name)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_the_demo_recipe_killed_at_30_random_moments(place, tmp_path):
    arguments = [*on_tiny(place), *_PACKAGE]
    _same_after_kills("recipes.challenge_package", arguments, tmp_path, 30, longest_seconds=60)


def _journal(path):
    """Trials that have a value, by method and candidate."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line.get("state") == 1 and line.get("values")]


def _found(run_dir):
    """Candidates of a finished search."""
    candidates = json.loads((run_dir / "results.json").read_text())["candidates"]
    return [one["architecture"] for one in candidates]


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_a_scene_search_killed_at_30_random_moments(stereo, tmp_path):
    """The random search is the same; NSGA-II resumes, with each candidate once."""
    arguments = [*stereo, *_SCENES, "--methods=random"]
    for folder in _same_after_kills("recipes.scene_search", arguments, tmp_path, 20, 60):
        assert len(_found(folder)) == len(set(_found(folder))) == 4
        assert len(_journal(folder / "search.journal")) == 4
    generator = np.random.default_rng(SEED)
    flags = [*stereo, *_SCENES, "--methods=nsga2", f"--output_dir={tmp_path / 'nsga2'}"]
    killed_until_done(
        "recipes.scene_search", flags, tmp_path / "e", generator, kills=10, longest_seconds=60
    )
    found = _found(tmp_path / "nsga2")
    assert len(found) == len(set(found)) == 4
    assert set(found) == {path.name for path in (tmp_path / "nsga2" / "candidates").iterdir()}


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_a_supernet_killed_at_30_random_moments(place, tmp_path):
    arguments = tiny_clips(place)
    _same_after_kills("recipes.audioset_supernet", [*arguments, *_SUPERNET], tmp_path, 30, 60)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["random", "nsga2"])
def test_a_search_killed_again_and_again_trains_each_candidate_and_loses_none(tmp_path, method):
    """Only the interrupted candidate is trained again."""
    generator, kills = np.random.default_rng(SEED), 0
    begun = tmp_path / "begun"
    begun.touch()
    while not (tmp_path / f"{method}.json").exists():
        process, before = FORKS.Process(target=search, args=(tmp_path, method)), begun.stat()
        process.start()
        while process.exitcode is None and begun.stat().st_size == before.st_size:
            time.sleep(0.01)
        process.join(float(generator.uniform(0, 0.3)))
        if process.exitcode is None:
            process.kill()
            kills += 1
        process.join()
        assert process.exitcode in (0, -9)
    found = json.loads((tmp_path / f"{method}.json").read_text())
    names = begun.read_text().splitlines()
    assert kills > 2
    assert len(found) == len(set(found)) == 12
    assert set(names) == set(found)
    # Only the interrupted one is trained again, before any other.
    again = [name for name, count in Counter(names).items() if count > 1]
    assert len(names) <= 12 + kills
    for name in again:
        first = names.index(name)
        assert names[first : first + names.count(name)] == [name] * names.count(name)
    if method == "random":
        expected = [one.name for one in islice(SceneSpace("code").candidates(0), 12)]
        assert list(dict.fromkeys(names)) == expected
