"""The front end in C, compiled with gcc's checks of memory and of undefined behaviour."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dcase_system.edge.device import project, tables
from dcase_system.edge.device.front_end import FrontEnd, front_end_of
from dcase_system.models.signature import ModelSignature

HARNESS = Path(__file__).with_name("harness.c")
SOURCE = Path(project.__file__).with_name("source")
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
CHECKED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


class Compiled:
    """The front end of a signature as a program, for a model's input of a scale and zero point."""

    def __init__(
        self,
        signature: ModelSignature,
        folder: Path,
        *flags: str,
        scale: float,
        zero_point: int,
    ):
        self.front_end: FrontEnd = front_end_of(signature)
        self.scale, self.zero_point = scale, zero_point
        self.real = "-DFRONT_END_FLOAT" in flags
        folder.mkdir(exist_ok=True)
        written = {
            "front_end_constants.h": tables.constants_header(self.front_end),
            "front_end_tables.h": tables.tables_header(self.front_end, scale, zero_point),
        }
        for name, text in written.items():
            (folder / name).write_text(text)
        self.program = folder / "harness"
        include = [f"-I{folder}", f"-I{SOURCE}"]
        compiler = ["gcc", "-std=c99", "-O1", *STRICT, *CHECKED, *flags, *include]
        subprocess.run([*compiler, str(HARNESS), "-o", str(self.program), "-lm"], check=True)

    def sizes(self) -> tuple[int, int]:
        """Bytes of the state and of the tables."""
        done = subprocess.run([self.program], capture_output=True, check=True)
        state, size = done.stdout.split()
        return int(state), int(size)

    def features(self, clips: np.ndarray, block: int) -> np.ndarray:
        """Features (clips, bands, columns) of int16 clips, pushed in blocks."""
        done = subprocess.run(
            [self.program, str(block)], input=clips.tobytes(), capture_output=True, check=True
        )
        kind = np.float32 if self.real else np.int8
        shape = (len(clips), self.front_end.bands, self.front_end.columns)
        return np.frombuffer(done.stdout, kind).reshape(shape)
