"""A recipe that only writes; started again in its run directory, it resumes.

python -m tests.parallel.writer --output_dir=RUN
"""

import os
import time
from pathlib import Path

from absl import flags

from dcase_system.core import cli
from dcase_system.core.errors import InputError
from dcase_system.core.files import locked

_OUTPUT = flags.DEFINE_string("output_dir", None, "Run directory.", required=True)
_STEPS = flags.DEFINE_integer("steps", 3, "Tenths of a second.")
_FAULT = flags.DEFINE_enum("fault", "none", ["none", "input", "lost"], "How it ends.")
_NEEDS = flags.DEFINE_list("needs", [], "Run directories that have to be done.")


def _refuse() -> None:
    raise InputError("another run is using this directory", where=_OUTPUT.value)


def main(_) -> None:
    folder = Path(_OUTPUT.value)
    with locked(folder / "lock", _refuse):  # as runs do, without the seconds TensorFlow takes
        with (folder / "pids").open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        for other in _NEEDS.value:
            assert (Path(other) / "result").exists()
        progress = folder / "progress"
        for step in range(int(progress.read_text()) if progress.exists() else 0, _STEPS.value):
            time.sleep(0.1)
            progress.write_text(str(step + 1))
            if _FAULT.value == "input":
                raise InputError("nothing to write", where="writer", received="secret of a kind")
            if _FAULT.value == "lost":
                os.kill(os.getpid(), 9)
        (folder / "result").write_text(f"{folder.name} {_STEPS.value}\n")
        print("written")


if __name__ == "__main__":
    cli.run(main)
