"""Kills recipes at toy scale, and reads the files that they leave."""

import os
import runpy
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.files import file_digest, write_json
from dcase_system.scene_search.scene_space import SceneSpace
from dcase_system.scene_search.search import CandidateScore, SceneProblem, search_scenes
from dcase_system.search.driver import Method, Search
from tests.commands import FORKS, ROOT

# Predictions, specs, files for devices, packages and what a search has found. Not among them: logs
# and `.keras` files, which hold the time of day, and config.json, which holds the command.
RESULTS = ("*.tflite", "spec.json", "predictions.csv", "output.*.csv", "*.output*.csv")
RESULTS += ("scores.json", "check.json", "results.json", "*.zip", "*.safetensors")


def results(run_dir: Path) -> dict[str, str]:
    """SHA-256 of every file that is a result, by its path in the run directory."""
    found = {path for pattern in RESULTS for path in run_dir.rglob(pattern)}
    return {
        str(path.relative_to(run_dir)): file_digest(path)
        for path in sorted(found)
        if "checkpoints" not in path.parts and path.is_file()
    }


@dataclass
class Killed:
    """What became of a command that was killed again and again.

    Attributes:
        kills: processes that SIGKILL has ended.
        moments: when, in seconds after the start of each.
        errors: what the last process wrote to standard error.
    """

    kills: int = 0
    moments: list[float] = field(default_factory=list)
    errors: str = ""


def started(module: str, arguments: Sequence[str], errors: Path) -> Any:
    """Starts a command in a process forked from one that has imported TensorFlow."""
    process = FORKS.Process(target=_call, args=(module, [*map(str, arguments)], str(errors)))
    process.start()
    while process.exitcode is None and os.getpgid(process.pid) != process.pid:
        time.sleep(0.001)  # until it leads a group of its own, to be killed with what it starts
    return process


def killed_until_done(
    module: str,
    arguments: Sequence[str],
    errors: Path,
    generator: np.random.Generator,
    *,
    kills: int,
    longest_seconds: float,
) -> Killed:
    """Starts a command, kills it at a random moment, starts it again, until it has ended by itself.

    Args:
        module: of the command.
        arguments: of the command.
        errors: where its standard error goes.
        generator: of the moments.
        kills: at most so many; after them the command is let run to its end.
        longest_seconds: from a start to a kill, at most.

    Raises:
        AssertionError: a process ended by itself with another exit status than 0.
    """
    killed = Killed()
    while True:
        process = started(module, arguments, errors)
        moment = float(generator.uniform(0, longest_seconds)) if killed.kills < kills else None
        process.join(moment)
        if process.exitcode is None:
            os.killpg(process.pid, signal.SIGKILL)  # a recipe may have started others
            process.join()
            if process.exitcode == -signal.SIGKILL:
                killed.kills += 1
                killed.moments.append(moment or 0.0)
        if process.exitcode != -signal.SIGKILL:
            killed.errors = errors.read_text()
            assert process.exitcode == 0, killed.errors
            return killed


def wait_for(path: Path, pattern: str, process: Any, seconds: float = 300.0) -> Path:
    """The first file of a pattern below a folder, as soon as it is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.exitcode is None:
        found = next(iter(sorted(path.glob(pattern))), None)
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{pattern} did not appear in {path}; exit status {process.exitcode}")


def search(folder: Path, method: Method) -> None:
    """A search of twelve candidates, of which each writes its name when it is begun."""

    def evaluate(architecture):
        with (folder / "begun").open("a") as stream:  # one write, so that no kill tears a line
            stream.write(f"{architecture.name}\n")
        time.sleep(0.1)
        accuracy = 40 + architecture.stem / 4 + 10 * architecture.growth
        return CandidateScore(accuracy, accuracy, 1 / architecture.stem)

    problem = SceneProblem(SceneSpace("code"))
    search = Search(problem, method, "clips", folder / "journal", 12, method, population=4)
    found = [one.name for one in search_scenes(search, evaluate)]
    write_json(folder / f"{method}.json", found)  # whole, or not at all


def _call(module: str, arguments: list[str], errors: str) -> None:
    os.setpgid(0, 0)
    handle = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.chdir(ROOT)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
