"""A full disk, a read-only place, stores that vanish, a clock that jumps, two runs in one place.

Each ends in one clear line and a nonzero exit status, and the next start resumes.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dcase_system.audio.store import ingest
from dcase_system.core.errors import InputError
from dcase_system.core.files import locked, replacing, replacing_directory, write_text
from dcase_system.search.shared import joined
from dcase_system.training.log import TrainingLog
from dcase_system.training.predict import predict
from tests.commands import ALONE, FORKS, ROOT, command, on_tiny
from tests.robustness.runs import killed_until_done, results, started, wait_for
from tests.training.curves import assert_drawn

RECIPE = "recipes.split5"


def on_tiny_alone(place):
    return [*on_tiny(place), *ALONE]


@pytest.fixture
def mounted(tmp_path):
    """Mounts a file system in memory; needs root."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def mount(*options):
        given = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
        if subprocess.run(given, capture_output=True).returncode != 0:
            pytest.skip("file systems cannot be mounted here")
        return folder

    yield mount
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def _ends_in_one_line(flags, errors, expected):
    process = started(RECIPE, flags, errors)
    process.join()
    text = errors.read_text()
    assert process.exitcode == 1, text
    assert "Traceback" not in text, text
    last = text.splitlines()[-1]
    assert last.startswith("error: ") and expected in last, last
    return last


def _finishes(flags, errors):
    generator = np.random.default_rng(0)
    killed_until_done(RECIPE, flags, errors, generator, kills=0, longest_seconds=1)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_full_disk_at_any_stage_and_the_next_start_goes_on(place, tmp_path, mounted):
    """The disk grows step by step, so that it is full at one write after the other."""
    output = mounted("size=16k")
    flags = [*on_tiny_alone(place), f"--output_dir={output / 'run'}"]
    lines, sizes = [], [16, 200, 450, 1_000, 1_800, 2_600]
    for size in sizes:
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(output)], check=True)
        lines.append(_ends_in_one_line(flags, tmp_path / "e", "No space left"))
    assert len(set(lines)) > 1, lines
    subprocess.run(["mount", "-o", "remount,size=100m", str(output)], check=True)
    _finishes(flags, tmp_path / "e")
    whole = [*on_tiny_alone(place), f"--output_dir={tmp_path / 'whole'}"]
    _finishes(whole, tmp_path / "e")
    assert results(output / "run") == results(tmp_path / "whole")


def test_a_full_disk_leaves_nothing_half_written(mounted):
    folder = mounted("size=64k")
    write_text(folder / "kept", "before")
    with pytest.raises(OSError, match="No space left"):
        write_text(folder / "kept", "x" * 100_000)
    with pytest.raises(OSError, match="No space left"), replacing_directory(folder / "d") as d:
        (d / "a").write_bytes(bytes(100_000))
    assert [path.name for path in folder.iterdir()] == ["kept"]
    assert (folder / "kept").read_text() == "before"


def test_curves_on_a_full_disk_end_a_training_like_any_other_write(mounted, tmp_path):
    folder = mounted("size=64k")
    with (
        pytest.raises(OSError, match="No space left") as raised,
        TrainingLog(tmp_path / "metrics.jsonl", folder / "curves") as log,
    ):
        for epoch in range(10_000):
            log.add({"epoch": epoch, "loss": 1.0})
    assert raised.value.strerror == "No space left on device"
    (folder / "curves" / "events.out.tfevents.other").touch()
    with TrainingLog(tmp_path / "metrics.jsonl", folder / "curves") as log:
        log.add({"epoch": 5, "loss": 1.0})
    assert_drawn(tmp_path / "metrics.jsonl", folder / "curves")


def test_a_read_only_output_ends_in_one_line(place, tmp_path, mounted):
    folder = mounted("ro")
    flags = [*on_tiny_alone(place), f"--output_dir={folder / 'run'}"]
    _ends_in_one_line(flags, tmp_path / "e", "Read-only file system")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["truncated", "deleted"])
def test_a_store_that_is_cut_or_deleted_under_a_run(place, tmp_path, fault):
    flags = [*on_tiny_alone(place), "--epochs=40", f"--output_dir={tmp_path / 'run'}"]
    flags.append(f"--cache_dir={tmp_path / 'cache'}")
    process = started(RECIPE, flags, tmp_path / "e")
    wait_for(tmp_path / "run" / "checkpoints", "student-*", process)
    for store in (tmp_path / "cache" / "stores").glob("*/*.int16"):
        if fault == "deleted":
            store.unlink()
        else:
            os.truncate(store, 1_000)
    process.join()
    text = (tmp_path / "e").read_text()
    assert "Traceback" not in text, text
    if fault == "truncated":
        assert process.exitcode == 1
        assert "waveforms.int16: file was truncated" in text.splitlines()[-1]
    else:
        assert process.exitcode == 0, text  # what is open stays until the run has ended
    _finishes(flags, tmp_path / "e")


def test_a_store_that_is_cut_under_a_prediction_is_named(place, tmp_path):
    import keras

    root = place / "demo" / "development"
    names = [f"audio/{path.name}" for path in sorted((root / "audio").iterdir())[:8]]
    waveforms = ingest(tmp_path, root, names)
    os.truncate(tmp_path / "waveforms.int16", 100_000)
    model = keras.Sequential([keras.Input(waveforms.shape), keras.layers.Dense(1)])
    with pytest.raises(InputError, match=r"waveforms\.int16: file was truncated"):
        predict(model, waveforms)
    again = ingest(tmp_path, root, names)
    assert np.abs(again.gather(np.arange(8))).max() > 0


_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    static long calls;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += (calls++ * 8 % 21 - 10) * 86400;
    return status;
}
"""


@pytest.mark.slow
def test_a_clock_that_jumps_by_days_changes_nothing(place, tmp_path):
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(_CLOCK)
    build = ["gcc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(build, check=True)
    jumping = {**os.environ, "LD_PRELOAD": str(library)}
    stamps = "import time; print(*(int(time.time()) for _ in range(9)))"
    shown = subprocess.run(
        [sys.executable, "-c", stamps], env=jumping, capture_output=True, text=True, check=True
    )
    times = list(map(int, shown.stdout.split()))
    assert max(times) - min(times) > 86_400 and times != sorted(times)
    for name, environment in (("whole", os.environ), ("jumping", jumping)):
        given = command(RECIPE, *on_tiny_alone(place), f"--output_dir={tmp_path / name}")
        done = subprocess.run(given, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert results(tmp_path / "jumping") == results(tmp_path / "whole")


def test_a_second_run_in_one_directory_ends_in_one_line_and_harms_nothing(place, tmp_path):
    run = tmp_path / "run"

    def fail() -> None:
        raise AssertionError("held already")

    flags = [*on_tiny_alone(place), f"--output_dir={run}"]
    with locked(run / "lock", fail):
        _ends_in_one_line(flags, tmp_path / "e", "another run is using this directory")
        assert [path.name for path in run.iterdir()] == ["lock"]


def _write_slowly(folder, name):
    with replacing_directory(folder / name) as temporary:
        (temporary / "half").touch()
        (folder / "begun").touch()
        time.sleep(600)


def test_what_a_killed_process_was_writing_is_removed_and_nothing_of_a_living_one(tmp_path):
    process = FORKS.Process(target=_write_slowly, args=(tmp_path, "x"))
    process.start()
    wait_for(tmp_path, "begun", process)
    write_text(tmp_path / "other", "")
    assert len(list(tmp_path.glob(".partial-*"))) == 1  # it is at work
    process.kill()
    process.join()
    write_text(tmp_path / "other", "")
    with replacing(tmp_path / "third") as temporary:
        assert list(tmp_path.glob(".partial-*")) == [temporary]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "other", "third"]


def test_a_torn_line_of_a_journal_is_dropped_and_no_other_file_is_cut(tmp_path):
    journal = tmp_path / "search.journal"

    def asked():
        with joined(journal, "x", "key", ["maximize"], "this search") as shared:
            shared.study.ask({}).set_user_attr("a", 1)
            return len(shared.study.trials)

    asked()
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":8,"work')
    assert asked() == 2
    lines = journal.read_text().splitlines()
    assert [json.loads(line)["op_code"] for line in lines]
    journal.write_text("my thesis, in one line")
    with pytest.raises(InputError, match="storage cannot be read"):
        asked()
    assert journal.read_text() == "my thesis, in one line"


def test_a_lock_of_the_journal_that_a_kill_has_left_holds_nobody_up(tmp_path, monkeypatch):
    """The one of Optuna, a dangling link where the journal has a relative name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    journal = Path("runs/search.journal")
    journal.with_name("search.journal.lock").symlink_to(journal)
    started_at = time.monotonic()
    with joined(journal, "x", "key", ["maximize"], "this search"):
        pass
    assert time.monotonic() - started_at < 5
