"""Runs commands with one flag each while TensorFlow and Keras cannot be imported.

    python -m tests.core.without_tensorflow FLAG COMMAND...

Each command is a fork of this process; prints the status, output and errors of all as JSON.
"""

import importlib.abc
import json
import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path

assert "tensorflow" not in sys.modules


class Refusal(importlib.abc.MetaPathFinder):
    """Fails when one of these is imported."""

    def find_spec(self, name, path=None, target=None):
        if name in ("tensorflow", "keras", "tf_keras"):
            raise ImportError(f"{name} is imported before the flags are parsed")


def answer(command: str, flag: str, folder: Path) -> tuple[int, str, str]:
    files = folder / "output", folder / "errors"
    process = os.fork()
    if not process:
        for file, stream in zip(files, (1, 2), strict=True):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        os._exit(run(command, flag))
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return status, files[0].read_text(), files[1].read_text()


def run(command: str, flag: str) -> int:
    sys.meta_path.insert(0, Refusal())
    sys.argv = [command, flag]
    status = 0
    try:
        runpy.run_module(command, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = int(end.code or 0)
    except ImportError:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    _, flag, *commands = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({name: answer(name, flag, Path(folder)) for name in commands}))
