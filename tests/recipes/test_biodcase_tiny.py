"""The recipe for BioDCASE-Tiny 2026, as a command."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dcase_system.audio.integer_mel import IntegerMel, peak_scaled
from dcase_system.submission.validate_biodcase import RESULTS, validate_biodcase
from tests.commands import run, too_wide
from tests.sounds.folders import write

CARD = Path(__file__).parents[1] / "submission" / "author_card.yaml"
# Keras alone, in a process that never imports this package.
OPENS = """
import sys, keras, numpy
model = keras.models.load_model(sys.argv[1])
assert not [name for name in sys.modules if name.startswith("dcase_system")]
print(model.input_shape, model(numpy.zeros((1, 40, 133, 1), "float32")).shape)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("biodcase")
    for part, clips in (("Train", 4), ("Validation", 2)):
        for number, label in enumerate(("Mallard", "Great Tit")):
            for index in range(clips):
                path = folder / "Dataset" / part / label / f"{index}.wav"
                write(path, 3.0, 24_000, seed=100 * number + 10 * clips + index)
    given = [f"--data_dir={folder / 'Dataset'}", f"--output_dir={folder / 'run'}"]
    given += ["--epochs=1", "--architecture=separable_16", f"--author_card={CARD}"]
    done = run("recipes.biodcase_tiny", *given)
    assert done.returncode == 0, done.stderr
    return folder, given, done


def test_it_ends_with_a_rank_and_a_valid_package(finished):
    folder, _, done = finished
    results = json.loads((folder / "run" / "results.json").read_text())
    assert set(results["measured"]) | set(results["modelled"]) == set(RESULTS)
    assert results["rank_score"] == pytest.approx(sum(results["rank_terms"].values()))
    assert re.search(rf"\nrank score .* {results['rank_score']:.3f} ", done.stdout)
    assert "embedded_time_ms_model" in (folder / "run" / "report.html").read_text()
    assert too_wide(done) == []
    package = folder / "run" / "submission" / "biodcase.zip"
    assert f"validated package: {package}" in done.stdout
    assert validate_biodcase(package, for_submission=False).valid
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        sizes = {name.rpartition(".")[2]: archive.getinfo(name).file_size for name in names}
    assert len(names) == 5
    assert sizes["keras"] == results["measured"]["model_size_inference_bytes"]
    assert sizes["tflite"] == results["measured"]["model_size_tflite_bytes"]


def test_features_are_those_of_the_clips_bit_for_bit(finished):
    folder, *_ = finished
    stored = np.load(folder / "run" / "features" / "test.npy")
    assert stored.shape == (4, 40, 133) and stored.dtype == np.uint16
    clips = sorted((folder / "Dataset" / "Validation").rglob("*.wav"))
    front_end = IntegerMel()
    expected = [front_end(peak_scaled(soundfile.read(path, dtype="int16")[0])) for path in clips]
    assert sorted(map(bytes, stored)) == sorted(map(bytes, expected))


@pytest.mark.slow  # imports TensorFlow again; the package's validator finds foreign layers too
def test_keras_alone_opens_the_file(finished):
    folder, *_ = finished
    path = folder / "run" / "submitted" / "network.keras"
    done = subprocess.run(
        [sys.executable, "-c", OPENS, path], cwd=folder, capture_output=True, text=True
    )
    assert done.stdout == "(None, 40, 133, 1) (1, 2)\n", done.stderr


def test_another_setting_and_a_card_of_placeholders_are_refused(finished):
    _, given, _ = finished
    other = run("recipes.biodcase_tiny", *given, "--seed=5")
    assert other.returncode == 1
    assert "folder holds a run with other settings" in other.stderr
    card = "--author_card=submissions/author_card.yaml"
    assert "holds a placeholder" in run("recipes.biodcase_tiny", *given, card).stderr
