import subprocess
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge import _latency, timing
from dcase_system.edge._latency import Latency, Time
from dcase_system.edge.card import Card


def test_a_file_is_timed_and_its_memory_measured_in_a_process_of_its_own(exported):
    path = exported / "student_int8.tflite"
    found = _latency.measure(path, "features", threads=(1, 2), repeats=10)
    assert [time.threads for time in found.times] == [1, 2]
    for time in found.times:
        assert 0 < time.median <= time.percentile_95 < 10_000
        assert time.processor > 0
    assert found.bytes == path.stat().st_size
    # The process holds some hundreds of megabytes of TensorFlow; they are not in it.
    assert found.bytes < found.peak_memory_bytes < 50e6


class CountingInterpreter:
    """Takes int8; every call but the first ones takes no time."""

    def __init__(self, monkeypatch):
        self.calls, self.now, self.taken = 0, 0.0, None
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(timing.time, "process_time", lambda: self.now / 2)

    def get_input_details(self):
        return [{"index": 0, "shape": np.array([1, 4, 3, 1]), "dtype": np.int8}]

    def get_output_details(self):
        return [{"index": 1}]

    def set_tensor(self, index, values):
        self.taken = values

    def invoke(self):
        self.calls += 1
        self.now += 60.0 if self.calls <= timing.WARM_UP else 0.002

    def get_tensor(self, index):
        self.now += 0.001


def test_first_calls_are_not_counted_and_handing_over_is(monkeypatch):
    interpreter = CountingInterpreter(monkeypatch)
    clock, processor = timing.milliseconds(interpreter, 7)
    np.testing.assert_allclose(clock, np.full(7, 3.0))
    np.testing.assert_allclose(processor, np.full(7, 1.5))
    assert interpreter.taken.shape == (1, 4, 3, 1) and interpreter.taken.dtype == np.int8
    assert interpreter.taken.min() < 0 < interpreter.taken.max()


def test_median_and_percentile_by_hand():
    # One call in a hundred was interrupted; the 95th percentile does not show it, a mean would.
    assert _latency._time(2, [1.0] * 99 + [500.0], [2.0] * 100) == Time(2, 1.0, 1.0, 2.0)
    assert _latency._time(1, list(range(101)), [1.0, 2.0, 6.0]) == Time(1, 50.0, 95.0, 3.0)


def test_each_front_end_is_measured_once_and_compared_with_its_files(
    monkeypatch, signature, tmp_path
):
    def pretended(name, takes, median):
        return Latency(name, takes, 10, (Time(1, 3 * median, 5 * median, median),), 1_000)

    other = replace(signature, samples=16_000)
    cards = {
        "a": Card("int8", "features", signature),
        "b": Card("int8", "waveform", signature),
        "c": Card("int8", "features", other),
    }
    monkeypatch.setattr(_latency, "read_card", lambda path: cards[path.name])
    monkeypatch.setattr(
        _latency,
        "measure_front_end",
        lambda signature, *_: pretended("front", "waveform", signature.samples / 1_000),
    )
    monkeypatch.setattr(_latency, "measure", lambda path, takes, *_: pretended(path.name, takes, 4))
    found = _latency.measure_files([tmp_path / name for name in "abc"], [1], 5)
    numpy = "front end in NumPy, for classify"
    assert [one.file for one in found] == ["front", numpy, "a", "b", "front", numpy, "c"]
    assert [one.front_end for one in found] == [None, None, 8.0, 8.0, None, None, 16.0]
    assert all(one.times[0].median > 0 for one in found)
    row = _latency.as_text(found).splitlines()[4]
    assert row.split() == ["a", "10", "12.00", "20.00", "4.00", "0.0", "2.0", "x"]


def test_a_runtime_that_fails_is_named(monkeypatch, tmp_path):
    failed = subprocess.CompletedProcess([], 1, "", "Traceback\nValueError: no such operator")
    monkeypatch.setattr(_latency.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(InputError, match=r"x: ai_edge_litert cannot run .*no such operator"):
        _latency.measure(tmp_path / "x", "features", [1], 1)
