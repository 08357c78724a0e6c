"""Runs commands as a user does, with recipes at toy scale."""

import multiprocessing
import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOY = ["--epochs=1", "--batch_size=16"]
ALONE = ["--system=dense", "--nodistill"]  # one training of one network, without teachers
FLOAT16 = "--tflite_formats=float16"  # the other conversions have tests of their own

# To import TensorFlow takes most of the time of a command that refuses its input. So a process that
# has imported it, and has done nothing else, is forked for each command. `tests` comes first: it
# sets the garbage collector.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["tests", "dcase_system.challenge.run", "dcase_system.scene_search.search"]
)


def leave_graphs_as_they_are() -> None:
    """Turns TensorFlow's graph optimizer off: it takes longer than a toy training."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def heed_ctrl_c() -> None:
    """For `preexec_fn`: a job in the background of a script ignores Ctrl-C, its children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(module: str, *arguments: object, published: bool = False) -> list[str]:
    """How to start a command; recipes train networks of `tests.small`, unless `published`."""
    recipe = module.startswith("recipes.") and not published
    through = ["-m", "tests.small"] if recipe else []
    return [sys.executable, *through, "-m", module, *map(str, arguments)]


class Started:
    """A command in a forked process, with its standard streams in files."""

    def __init__(self, line: list[str], given: bytes = b"", environment: Mapping[str, str] = {}):
        self.line, self.folder = line, tempfile.TemporaryDirectory()
        self.files = [Path(self.folder.name) / name for name in ("input", "output", "errors")]
        self.files[0].write_bytes(given)
        self.process = FORKS.Process(target=_call, args=(line[2:], self.files, dict(environment)))
        self.process.start()

    def wait(self) -> subprocess.CompletedProcess[bytes]:
        """Waits for the end; a negative status names the signal that killed it."""
        self.process.join()
        output, errors = (path.read_bytes() for path in self.files[1:])
        self.folder.cleanup()
        return subprocess.CompletedProcess(self.line, self.process.exitcode or 0, output, errors)


def run(
    module: str, *arguments: object, published: bool = False
) -> subprocess.CompletedProcess[str]:
    """Runs a `command` in its own process and returns its result."""
    done = Started(command(module, *arguments, published=published)).wait()
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def _call(line: list[str], files: list[Path], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    for stream, path in enumerate(files):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), stream)
    sys.stdin = os.fdopen(0, closefd=False)  # multiprocessing gives its children none
    os.chdir(ROOT)
    leave_graphs_as_they_are()
    sys.argv = line
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def tiny_clips(place: Path) -> list[str]:
    """Flags that name the tiny corpus of the `place` fixture."""
    return [f"--data_dir={place / 'demo' / 'development'}", f"--cache_dir={place / 'cache'}"]


def on_tiny(place: Path) -> list[str]:
    """Flags for a system on the tiny corpus of the `place` fixture."""
    return [
        *tiny_clips(place),
        f"--evaluation_dir={place / 'demo' / 'evaluation'}",
        FLOAT16,
        *TOY,
    ]


def too_wide(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines of a command's output over 80 columns, but for those that name a path."""
    return [
        line for line in done.stdout.splitlines() if len(line) > 80 and not re.search("[ =]/", line)
    ]
