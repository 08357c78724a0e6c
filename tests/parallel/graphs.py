"""Tasks that only write, and their results."""

import os
import time
from pathlib import Path

from dcase_system.parallel.tasks import Task


def task(folder: Path, name: str, *given: str, after: tuple[str, ...] = ()) -> Task:
    needs = [f"--needs={','.join(str(folder / one) for one in after)}"] if after else []
    arguments = ("-m", "tests.parallel.writer", f"--output_dir={folder / name}", *given, *needs)
    return Task(name, arguments, folder / name, after)


def package(folder: Path, steps: int = 3) -> list[Task]:
    """Two teachers, and two students of each."""
    given = f"--steps={steps}"
    return [
        *(task(folder, f"teacher{split}", given) for split in (5, 10)),
        *(
            task(folder, f"s{name}_{split}", given, after=(f"teacher{split}",))
            for name in (1, 2)
            for split in (5, 10)
        ),
    ]


def results(folder: Path) -> dict[str, str]:
    return {path.parent.name: path.read_text() for path in sorted(folder.glob("*/result"))}


def pids(folder: Path) -> list[int]:
    """Returns the process IDs of all started tasks below a folder."""
    found = [path.read_text().split() for path in sorted(folder.glob("*/pids"))]
    return [int(pid) for lines in found for pid in lines]


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def all_end(numbers: list[int], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while any(map(is_alive, numbers)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(is_alive, numbers))


def interrupt(pid: int) -> None:
    os.kill(pid, 2)
