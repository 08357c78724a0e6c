import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.audio.specs import PannsMelSpec
from dcase_system.core.errors import InputError
from dcase_system.edge import checked_export
from dcase_system.edge.classifier import Classifier
from dcase_system.models.cnn10 import CNN10Spec, build_cnn10
from dcase_system.models.signature import ModelSignature, save_signature
from dcase_system.models.stored import save_network
from tests.audio.audio_files import wav_bytes
from tests.commands import run
from tests.edge.conftest import NETWORK


@pytest.fixture(scope="module")
def clips(tmp_path_factory, waveforms):
    folder = tmp_path_factory.mktemp("clips")
    for row in range(6):
        samples = waveforms.gather(np.array([row]))[0]
        (folder / f"{row}.wav").write_bytes(wav_bytes(samples[:, None], 8_000, 16))
    return folder


@pytest.fixture(scope="module")
def stored(tmp_path_factory, network, signature):
    folder = tmp_path_factory.mktemp("stored")
    save_network(folder, network, NETWORK)
    save_signature(folder, signature)
    return folder


@pytest.mark.slow
def test_the_command_exports_a_stored_network_by_a_list(tmp_path, stored, clips):
    (tmp_path / "list.csv").write_text("filename\n4.wav\n1.wav\n")
    out = tmp_path / "out"
    done = run(
        "dcase_system.edge.export",
        stored,
        f"--output_dir={out}",
        f"--clips_dir={clips}",
        f"--calibration_list={tmp_path / 'list.csv'}",
        "--formats=float16",
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.glob("*.tflite")) == [
        "student_float16.tflite",
        "student_float16_waveform.tflite",
    ]
    assert (out / "calibration.csv").read_text() == "filename\n4.wav\n1.wav\n"
    assert str(out / "student_float16.tflite") in done.stdout


def test_a_folder_of_something_else_is_not_removed(stored, clips, tmp_path):
    kept = shutil.copytree(stored, tmp_path / "run" / "student")
    given = ["dcase_system.edge.export", kept, f"--clips_dir={clips}"]
    for folder in (kept, kept.parent):
        done = run(*given, f"--output_dir={folder}")
        assert done.returncode == 1
        assert "folder is not empty and holds no export; expected" in done.stderr.splitlines()[-1]
    assert {path.name for path in kept.iterdir()} == {path.name for path in stored.iterdir()}


def test_a_folder_gives_clips_evenly(clips, tmp_path):
    assert checked_export.calibration_names(clips, None) == [f"{row}.wav" for row in range(6)]
    assert (
        checked_export.calibration_rows(1_000).tolist()
        == np.linspace(0, 999, 200).astype(int).tolist()
    )
    for hidden in ("._0.wav", ".trash/1.wav", "deep/._2.flac"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_bytes(b"\0\5\x16\7")
    with pytest.raises(InputError, match="no audio files"):
        checked_export.calibration_names(tmp_path, None)


def test_the_same_network_and_clips_give_the_same_bytes(
    exported, network, signature, waveforms, tmp_path
):
    names = (exported / "calibration.csv").read_text().splitlines()[1:]
    another = replace(signature)  # with a front end of its own, the second or third of the process
    checked_export.export_checked(network, another, waveforms, names, tmp_path, ("int8",))
    for name in ("student_int8.tflite", "student_int8_waveform.tflite"):
        assert (tmp_path / name).read_bytes() == (exported / name).read_bytes()


def test_a_network_without_a_signature_is_refused(stored, clips, tmp_path):
    bare = shutil.copytree(stored, tmp_path / "bare")
    (bare / "contract.json").unlink()
    done = run(
        "dcase_system.edge.export", bare, f"--output_dir={tmp_path / 'o'}", f"--clips_dir={clips}"
    )
    assert done.returncode == 1
    assert "signature cannot be read" in done.stderr.splitlines()[-1]


def test_a_tagger_of_any_length_is_exported_for_its_clips(tmp_path, waveforms):
    """CNN10 takes any number of frames; a file takes those of the signature's clips."""
    spec = CNN10Spec(blocks=((4, 4), (8, 8)), embedding=8, classes=3, input_shape=(16, 51))
    front_end = PannsMelSpec(
        sample_rate=8_000, window_length=256, hop_length=160, n_mels=16, max_hz=4_000.0
    )
    signature = ModelSignature(("x", "y", "z"), front_end, samples=8_000, activation="sigmoid")
    names = [f"{row}.wav" for row in range(40)]
    checked_export.export_checked(
        build_cnn10(spec), signature, waveforms, names, tmp_path, ("float16",)
    )
    probabilities = Classifier(tmp_path / "student_float16_waveform.tflite").probabilities(
        waveforms.gather(np.arange(3))
    )
    assert probabilities.shape == (3, 3)
    assert not np.allclose(probabilities.sum(axis=1), 1.0)  # tags, not classes
    check = json.loads((tmp_path / "check.json").read_text())
    assert check["tflite_float16_waveform"]["largest_difference"] < 1e-2
