"""Reads inputs in this process; the outcome is a result, a one-line error or a fault."""

import os
import resource
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from dcase_system.core.errors import InputError
from tests.robustness.kinds import Kind

LIMIT_SECONDS = 5.0  # of processor time an input
READ, REFUSED = "read", "refused"
_MEMORY_BYTES = 24 << 30  # of addresses: TensorFlow alone maps some
_WRITES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate"}
_RUNS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect"}


class Watched:
    """A reader of one kind, for the rest of this process's life.

    Attributes:
        seeds: valid inputs.
    """

    def __init__(self, kind: Kind, box: Path):
        """Makes the folder `box/run` the only one that may be written."""
        run = box / "run"
        (run / "temporary").mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = str(run / "temporary")
        self.seeds, self._read = kind.prepare(run)
        os.chdir(run)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        self._watch = _Watch(run)
        sys.addaudithook(self._watch)

    def outcome(self, content: bytes) -> str:
        """`READ`, `REFUSED`, or the name of a fault and, in the next line, what it was."""
        self._watch.seen, self._watch.active = "", True
        try:
            self._read(content)
            outcome = READ
        except InputError as error:
            outcome = REFUSED if str(error).isprintable() else f"traceback\nno line: {error!r}"
        # What is no InputError is what is looked for, whatever it is.
        except BaseException as error:  # noqa: BLE001
            where = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in where if "dcase_system" in frame.filename] or where
            place = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
            outcome = f"traceback\n{place} {type(error).__name__}: {error}"[:500]
        self._watch.active = False
        return f"outside\n{self._watch.seen}" if self._watch.seen else outcome


class _Watch:
    """Sees files that Python opens to write, moves or removes outside a folder, and programs."""

    def __init__(self, folder: Path):
        self._folder = f"{folder.resolve()}/"
        self.active, self.seen = False, ""

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.active:
            return
        if event in _RUNS:
            self.seen = f"{event} {arguments}"
        elif event == "open":
            path, mode, flags = arguments
            writes = (mode and set(mode) & set("wax+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
            if writes and isinstance(path, str | bytes | os.PathLike):
                self._check(event, path)
        elif event in _WRITES:
            for path in arguments[:2]:
                if isinstance(path, str | bytes | os.PathLike):
                    self._check(event, path)

    def _check(self, event: str, path: Any) -> None:
        path = os.path.realpath(os.fsdecode(path))
        if not f"{path}/".startswith(self._folder) and path != os.devnull:
            self.seen = f"{event} {path}"
