"""A good package, the defaults, and the command."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dcase_system.complexity import rules
from dcase_system.corpora import tau
from dcase_system.submission import validate_meta
from dcase_system.submission.outputs import write_output
from dcase_system.submission.predictions_2025 import write_predictions_2025
from dcase_system.submission.validate import validate_package
from tests.commands import ROOT, run

LABEL = "Lind_NIS_task1_1"
FOLDER = f"task1/{LABEL}"
META = f"{FOLDER}/{LABEL}.meta.yaml"
OUTPUT = f"{FOLDER}/{LABEL}.output.split_25.csv"


def test_good_package_passes(package, clips):
    report = validate_package(package, evaluation_filenames=clips, require_report=True)
    assert (report.errors, report.warnings, report.valid) == ((), (), True)


def test_official_evaluation_list_is_the_default(package, assert_rejected):
    assert_rejected(validate_package(package), OUTPUT, "filename", "135730 clips", "received 50")


def test_limits_are_those_of_the_complexity_rules():
    assert validate_meta.MAX_MODEL_BYTES == rules.MAX_BYTES_2024
    assert validate_meta.MAX_MACS == rules.MAX_MACS_2024


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return run("dcase_system.submission.validate", *arguments)


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory, clips) -> Path:
    """A corpus folder and an evaluation set in one: scenes and devices of TAU, 50 clips."""
    root = tmp_path_factory.mktemp("corpus")
    rows = ["filename\tscene_label\tidentifier\tsource_label"]
    for index, scene in enumerate(tau.SCENES):
        device = tau.DEVICES[index % len(tau.DEVICES)]
        rows.append(f"audio/x-{index}.wav\t{scene}\tcity-{index}\t{device}")
    (root / "meta.csv").write_text("\n".join(rows) + "\n")
    (root / "evaluation_setup").mkdir()
    (root / "evaluation_setup" / "fold1_test.csv").write_text(
        "\n".join(["filename", *clips]) + "\n"
    )
    return root


def test_the_command_checks_predictions_of_2025_against_the_evaluation_list(
    corpus_folder, clips, tmp_path
):
    s1 = {"macs": 29_982_132, "precision": "float16", "bytes": {"float16": 127_496}}
    output = tmp_path / "output.csv"
    probabilities = np.full((len(clips), len(tau.SCENES)), 0.1)
    write_output(output, clips, probabilities, tau.SCENES, keep_folder=True)
    written = write_predictions_2025(
        *(tmp_path / "predictions", "Lind_NIS_task1_1", output, {"a": s1}, 59.06),
        evaluation_filenames=clips,
        scenes=tau.SCENES,
    )
    done = command(written, "--task=task1_2025", f"--evaluation_dir={corpus_folder}")
    assert (done.returncode, done.stdout) == (0, f"{written}: valid\n"), done.stderr


def test_command_exit_status_and_lines(package, corpus_folder, tmp_path, files):
    folders = (f"--data_dir={corpus_folder}", f"--evaluation_dir={corpus_folder}")
    good = command(package, *folders)
    assert (good.returncode, good.stderr) == (0, "")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            if name not in (OUTPUT, META):
                archive.writestr(name, content)
    (tmp_path / "bad.zip").write_bytes(stream.getvalue())
    bad = command(tmp_path / "bad.zip", *folders)
    assert bad.returncode == 1
    assert len(bad.stdout.splitlines()) == 2
    assert command(tmp_path / "bad.zip", "--splits=5", *folders).stdout.count("\n") == 1


def test_command_needs_a_package(tmp_path):
    assert command().returncode != 0
    absent = command(tmp_path / "absent.zip")
    assert absent.returncode == 1
    assert "absent.zip: package is missing" in absent.stdout


def test_the_validator_starts_without_what_it_may_not_need():
    """pandas alone would take longer than the rest of the start."""
    code = (
        "import sys, dcase_system.submission.validate\n"
        "assert not {'numpy', 'pandas', 'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
