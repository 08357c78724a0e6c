import csv
import json
import os
import shutil
import subprocess

import numpy as np
import pytest

from dcase_system.edge.classifier import Classifier
from dcase_system.edge.printed import csv_line, json_line, text_line
from dcase_system.edge.results import Result, mean, smoothed
from tests.audio.audio_files import chunk, encoded, fmt_chunk, riff, wav_bytes
from tests.commands import ROOT, Started, command, run

RATE = 8_000


CLASSIFY = "dcase_system.edge.classify"


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    """Three seconds of noise at 16 kHz in stereo."""
    path = tmp_path_factory.mktemp("clips") / "noise.wav"
    noise = np.random.default_rng(3).normal(0, 0.1, (3 * 2 * RATE, 2))
    path.write_bytes(wav_bytes(noise, 2 * RATE, 24))
    return path


def test_features_and_waveform_files_hear_the_same(exported, waveforms, logits, signature):
    clips = waveforms.gather(np.arange(40))
    expected = signature.probabilities(logits["keras_float32"])
    for end in ("", "_waveform"):
        found = Classifier(exported / f"student_float32{end}.tflite").probabilities(clips)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_clips_in_lines_and_what_cannot_be_read_said(exported, wav, tmp_path):
    (tmp_path / "text.wav").write_text("hello, this is text")
    (tmp_path / "empty.wav").write_bytes(wav_bytes(np.empty((0, 1)), RATE, 16))
    model = exported / "student_int8_waveform.tflite"
    done = run(
        CLASSIFY,
        model,
        tmp_path / "text.wav",
        tmp_path / "empty.wav",
        wav,
        "--hop_seconds=0.5",
        "--top=2",
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert [line.split("  ")[:2] for line in lines] == [
        [str(wav), f"{start:.2f}-{start + 1:.2f} s"] for start in (0, 0.5, 1, 1.5, 2)
    ]
    assert all(len(line.split("  ")) == 4 for line in lines)
    said = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(said) == 2
    assert "text.wav: not an audio file" in said[0]
    assert "empty.wav: audio file has no samples" in said[1]


def test_smoothed_windows_are_the_mean_of_the_last_ones():
    rows = np.random.default_rng(5).dirichlet(np.ones(3), 5)
    results = [Result(at, at + 1, row, (f"note {at}",)) for at, row in enumerate(rows)]
    found = list(smoothed(iter(results), 3))
    for at, one in enumerate(found):
        np.testing.assert_allclose(one.probabilities, rows[max(0, at - 2) : at + 1].mean(axis=0))
        assert (one.start_seconds, one.notes) == (at, (f"note {at}",))
    assert [one.probabilities.tolist() for one in smoothed(results, 1)] == rows.tolist()


def test_each_recording_is_smoothed_alone(exported, wav, tmp_path):
    other = shutil.copy(wav, tmp_path / "other.wav")
    lines = run(CLASSIFY, exported / "student_int8.tflite", wav, other, "--smooth=2", "--json")
    found = [json.loads(line) for line in lines.stdout.splitlines()]
    single = run(CLASSIFY, exported / "student_int8.tflite", wav, "--json").stdout.splitlines()
    expected = [list(json.loads(line)["probabilities"].values()) for line in single]
    for at, one in enumerate(found):
        last = expected[max(0, at % 3 - 1) : at % 3 + 1]
        np.testing.assert_allclose(list(one["probabilities"].values()), np.mean(last, axis=0))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--smooth=0"], "smooth"),
        (["--smooth=2", "--whole"], "--whole and --smooth exclude each other"),
    ],
)
def test_what_cannot_be_smoothed_is_refused(exported, wav, flags, message):
    done = run(CLASSIFY, exported / "student_int8.tflite", wav, *flags)
    assert done.returncode != 0 and message in done.stderr and not done.stdout


def test_a_rest_is_noted_in_every_form(exported, tmp_path):
    model, path = exported / "student_float16.tflite", tmp_path / "rest.wav"
    samples = np.random.default_rng(7).normal(0, 0.1, (round(2.4 * RATE), 1))
    path.write_bytes(wav_bytes(samples, RATE, 16))
    note = "last 0.40 s not classified"
    first, last = run(CLASSIFY, model, path).stdout.splitlines()
    assert "not classified" not in first and last.endswith(f"({note})")
    first, last = run(CLASSIFY, model, path, "--json").stdout.splitlines()
    assert (json.loads(first)["notes"], json.loads(last)["notes"]) == ([], [note])
    (whole,) = run(CLASSIFY, model, path, "--whole").stdout.splitlines()
    assert whole.endswith(f"({note})")
    table = run(CLASSIFY, model, path, "--csv")
    assert table.stderr == f"note: {path} 1.00-2.00 s: {note}\n"
    assert len(table.stdout.splitlines()) == 3


def test_a_table_has_a_row_for_each_window_of_all_clips(exported, wav, tmp_path):
    other = tmp_path / 'a, "b".wav'
    shutil.copy(wav, other)
    model = exported / "student_float32_waveform.tflite"
    done = run(CLASSIFY, model, wav, other, "--csv")
    assert done.returncode == 0 and done.stderr == ""
    header, *rows = csv.reader(done.stdout.splitlines())
    assert header == ["file", "start_seconds", "end_seconds", "class", *"abcd"]
    assert [row[:3] for row in rows] == [
        [str(path), f"{second}.0", f"{second + 1}.0"]
        for path in (wav, other)
        for second in range(3)
    ]
    for row in rows:
        probabilities = [float(field) for field in row[4:]]
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        assert row[3] == "abcd"[int(np.argmax(probabilities))]


def test_below_the_threshold_the_answer_is_unknown():
    results = [
        Result(0.0, 1.0, np.array([0.4, 0.6]), (), threshold) for threshold in (0.0, 0.6, 0.61)
    ]
    lines = [text_line("x", one, ("a", "b"), 1) for one in results]
    assert lines == ["x  0.00-1.00 s  b 0.60"] * 2 + ["x  0.00-1.00 s  unknown: b 0.60"]
    assert [csv_line("x", one, "ab").split(",")[3] for one in results] == ["b", "b", "unknown"]
    assert json.loads(json_line("x", results[2], ("a", "b")))["scene"] == "unknown"
    assert mean(results[2:]).threshold == 0.61


def test_a_model_without_a_threshold_cannot_reject(exported, wav):
    done = run(CLASSIFY, str(exported / "student_float32_waveform.tflite"), str(wav), "--reject")
    assert done.returncode == 1
    assert "model has no threshold for unknown sounds; expected no --reject" in done.stderr


def test_a_table_and_json_exclude_each_other(exported, wav):
    done = run(CLASSIFY, exported / "student_int8.tflite", wav, "--csv", "--json")
    assert done.returncode == 1 and done.stdout == ""
    assert "--csv and --json exclude each other" in done.stderr


@pytest.mark.parametrize("below", ["edge", "."])
def test_a_run_directory_stands_for_its_most_exact_waveform_file(exported, wav, tmp_path, below):
    folder = tmp_path / below
    folder.mkdir(exist_ok=True)
    (folder / "._student_float32_waveform.tflite").touch()
    for name in ("int8_waveform", "dynamic_waveform", "float32"):
        shutil.copy(exported / f"student_{name}.tflite", folder)
    for name in ("dynamic", "float16", "float32"):  # each more exact than those before
        model = f"student_{name}_waveform.tflite"
        shutil.copy(exported / model, folder)
        done = run(CLASSIFY, tmp_path, wav)
        assert done.returncode == 0
        assert done.stderr == f"model: {folder / model}\n"
        assert done.stdout == run(CLASSIFY, exported / model, wav).stdout


def test_a_folder_without_a_model_is_refused(exported, wav, tmp_path):
    shutil.copy(exported / "student_float32.tflite", tmp_path)
    done = run(CLASSIFY, tmp_path, wav)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}: no model in this folder; expected ")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_stands_for_the_clips_below_it(exported, wav, tmp_path):
    names = ["b.wav", "a/z.wav", "a/b c.WAV", os.fsdecode(b"a/\xff.wav")]
    for name in (*names, "._b.wav", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(wav, tmp_path / name)
    (tmp_path / "a" / "cut.flac").write_bytes(b"fLaC")
    model = exported / "student_int8_waveform.tflite"
    done = Started(command(CLASSIFY, model, tmp_path, "--whole")).wait()
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/a/cut.flac: ".encode())
    assert len(done.stderr.splitlines()) == 1
    found = [line.rpartition(b"  0.00-")[0] for line in done.stdout.splitlines()]
    assert found == [os.fsencode(tmp_path / name) for name in sorted(names)]


def test_a_folder_without_clips_is_refused(exported, tmp_path):
    (tmp_path / "notes.txt").touch()
    done = run(CLASSIFY, exported / "student_int8.tflite", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}: no audio files; expected .aif, ")


def test_a_stream_as_json_is_the_recording(exported, wav):
    """Windows of the stream have the probabilities that the same samples have in a file."""
    model = exported / "student_float16.tflite"
    samples = np.random.default_rng(4).normal(0, 0.1, 2 * RATE + 1_000)
    pcm = np.rint(samples * 2**15).astype("<i2")
    done = Started(command(CLASSIFY, model, "-", "--json"), pcm.tobytes()).wait()
    assert done.returncode == 0
    assert done.stderr == b"note: -: last 0.12 s not classified\n"
    windows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [window["start_seconds"] for window in windows] == [0.0, 1.0]
    clips = (pcm[: 2 * RATE] / 2**15).reshape(2, RATE)
    expected = Classifier(model).probabilities(clips)
    for window, probabilities in zip(windows, expected, strict=True):
        assert list(window["probabilities"]) == ["a", "b", "c", "d"]
        np.testing.assert_allclose(list(window["probabilities"].values()), probabilities, atol=1e-6)
        assert window["scene"] == "abcd"[probabilities.argmax()]


def test_a_stream_that_is_a_file_is_refused_in_one_line(exported):
    samples = np.random.default_rng(5).normal(0, 0.1, RATE)
    flac = encoded(samples, RATE, "FLAC")
    done = Started(command(CLASSIFY, exported / "student_int8.tflite", "-"), flac).wait()
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.splitlines()[-1].startswith(
        b"error: standard input: stream begins like FLAC"
    )


def test_windows_before_a_fault_are_said_and_the_fault_too(exported, tmp_path):
    """Only the mean of a clip waits for its end."""
    samples = np.random.default_rng(6).normal(0, 0.1, 20 * RATE)
    flac = encoded(samples, RATE, "FLAC")
    (tmp_path / "cut.flac").write_bytes(flac[: len(flac) // 2])
    model = exported / "student_int8_waveform.tflite"
    for flags, lines in (([], range(5, 11)), (["--whole"], range(1))):
        done = run(CLASSIFY, model, tmp_path / "cut.flac", *flags)
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) in lines
        assert "cut.flac: audio file is damaged or truncated" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_more_samples_than_memory_are_classified(exported, tmp_path):
    samples = 300_000_000
    path = tmp_path / "long.wav"
    path.write_bytes(riff(fmt_chunk(1, 768_000, 8, 1) + chunk(b"data", b"", samples)))
    with path.open("rb+") as stream:
        stream.truncate(path.stat().st_size + samples)  # a hole
    done = run(CLASSIFY, exported / "student_int8_waveform.tflite", path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == samples // 768_000


def test_a_reader_that_leaves_early_is_no_fault(exported, wav):
    call = command(CLASSIFY, exported / "student_int8.tflite", *[wav] * 400)
    with subprocess.Popen(
        call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait() == 0
    assert "error:" not in said and "Traceback" not in said


def test_a_model_of_others_and_missing_clips_end_in_one_line(tmp_path, exported):
    (tmp_path / "model.tflite").write_bytes(b"no model")
    done = run(CLASSIFY, tmp_path / "model.tflite", "clip.wav")
    assert done.returncode == 1
    assert "not a model of this package" in done.stderr.splitlines()[-1]
