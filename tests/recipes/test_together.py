"""Searches and seeds that a recipe fans out: what one process does, by several."""

import json
import os
import signal
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.commands import ROOT, command, on_tiny, run, tiny_clips
from tests.parallel.test_on_ray import nodes
from tests.recipes.test_scene_search import TOY as SCENES
from tests.recipes.test_supernet import TOY as SUPERNET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]
RANDOM = ["--methods=random", "--candidates=4", "--epochs=3"]


def candidates(folder):
    return json.loads((folder / "results.json").read_text())["candidates"]


@pytest.fixture(scope="module")
def alone(stereo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    done = run("recipes.scene_search", *stereo, *SCENES, *RANDOM, f"--output_dir={folder}")
    assert done.returncode == 0, done.stderr
    return folder


def begun(folder, *arguments):
    return subprocess.Popen(
        command("recipes.scene_search", *arguments, f"--output_dir={folder}"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_candidates(folder, process):
    while process.poll() is None and len(list((folder / "metrics").glob("*.jsonl"))) < 2:
        time.sleep(0.02)


def helpers(process):
    """The processes that a recipe has begun."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def test_processes_that_search_find_what_one_does_and_one_may_be_killed(stereo, alone, tmp_path):
    process = begun(tmp_path, *stereo, *SCENES, *RANDOM, "--parallel_tasks=2")
    wait_for_candidates(tmp_path, process)
    os.kill(helpers(process)[0], signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "was lost (signal 9); running it again" in errors
    assert candidates(tmp_path) == candidates(alone)
    assert len(list((tmp_path / "logs" / "search").glob("*.txt"))) == 2


@pytest.mark.cluster
def test_candidates_on_a_cluster_that_loses_a_node_are_those_of_one_process(
    stereo, alone, tmp_path
):
    pytest.importorskip("ray")
    with nodes() as both:
        given = ["--executor=ray", f"--ray_address={both.address}", "--parallel_tasks=2"]
        process = begun(tmp_path, *stereo, *SCENES, *RANDOM, *given)
        wait_for_candidates(tmp_path, process)
        both.remove_node(both.list_all_nodes()[-1], allow_graceful=False)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "was lost" in errors
    assert candidates(tmp_path) == candidates(alone)


def test_sub_networks_that_several_processes_score_are_those_that_one_does(place, tmp_path):
    flags = [*tiny_clips(place), *SUPERNET, "--patterns=2,2,X"]
    found = []
    for folder, given in ((tmp_path / "alone", []), (tmp_path / "both", ["--parallel_tasks=2"])):
        done = run("recipes.audioset_supernet", *flags, *given, f"--output_dir={folder}")
        assert done.returncode == 0, done.stderr
        spaces = json.loads((folder / "results.json").read_text())["spaces"]
        found.append([row["random"] for of_space in spaces.values() for row in of_space])
        again = run("recipes.audioset_supernet", *flags, *given, f"--output_dir={folder}")
        assert again.returncode == 0 and "search/1" not in again.stderr
    assert found[0] == found[1]
    journals = (tmp_path / "both" / "journals").glob("*.journal")
    writers = defaultdict(set)  # processes that began trials, by search
    for path in journals:
        for line in map(json.loads, path.read_text().splitlines()):
            if "datetime_start" in line:
                writers[line["study_id"]].add(line["worker_id"])
    assert max(map(len, writers.values())) == 2
    helper = run(
        "recipes.audioset_supernet", *flags, "--join", f"--output_dir={tmp_path / 'nothing'}"
    )
    assert helper.returncode == 1
    assert "is not trained yet; expected a finished supernet training" in helper.stderr


def test_seeds_of_a_package_stand_beside_the_first_which_is_handed_in(place, tmp_path):
    given = ["--systems=dense", "--nodistill", "--splits=5", "--seeds=2", "--seed=3"]
    done = run("recipes.challenge_package", *on_tiny(place), *given, f"--output_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["seeds"] == [3, 4]
    (over,) = results["over_seeds"]
    accuracies = [
        json.loads((folder / "split_5" / "dev_test" / "scores.json").read_text())
        for folder in (tmp_path / "dense", tmp_path / "seed_4" / "dense")
    ]
    first, second = (
        one["forms"][one["submitted_form"]]["overall"]["accuracy"] for one in accuracies
    )
    assert over["accuracy"]["5"] == pytest.approx((first + second) / 2)
    assert results["systems"][0]["accuracy"]["5"] == first
    page = (tmp_path / "report.html").read_text()
    assert "seed_4/dense/split_5/report.html" in page and "mean of 2 seeds" in page
