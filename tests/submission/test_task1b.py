"""Packages of DCASE 2020 Task 1B: layout, meta fields, size rule, refusals."""

import zipfile

import numpy as np
import pytest
import yaml

from dcase_system.core.errors import InputError
from dcase_system.corpora.task1b import CLASSES
from dcase_system.submission.outputs import write_output
from dcase_system.submission.task1b import Description2020, System2020, assemble_task1b
from dcase_system.submission.validate_task1b import validate_task1b

CLIPS = [f"audio/{index}.wav" for index in range(12)]
LABEL = "Lind_NIS_task1b_1"
PLACE = f"submission/task1/{LABEL}/{LABEL}"


def system(folder, counted=222_612) -> System2020:
    output = folder / "output.csv"
    write_output(output, CLIPS, np.random.default_rng(0).dirichlet(np.ones(3), len(CLIPS)), CLASSES)
    complexity = {
        "params": 111_306,
        "precision": "float16",
        "bytes": {"float16": 222_612},
        "rules": {"2020 Task 1B": [{"value": counted}]},
    }
    metrics = {"accuracy": 95.0, "logloss": 0.2}
    results = {**metrics, "class_wise": dict.fromkeys(CLASSES, metrics)}
    return System2020("scene_random", Description2020("mixup"), complexity, results, output)


@pytest.fixture
def package(card, tmp_path):
    return assemble_task1b(tmp_path, card, [system(tmp_path)], evaluation_filenames=CLIPS)


@pytest.fixture
def changed(package, tmp_path):
    """Validates the package with one entry changed, renamed or left out."""

    def validated(name: str, content=None, rename: str | None = None):
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(package) as old, zipfile.ZipFile(path, "w") as new:
            for entry in old.namelist():
                if entry != name:
                    new.writestr(entry, old.read(entry))
                elif content is not None or rename:
                    new.writestr(rename or entry, old.read(entry) if content is None else content)
        return validate_task1b(path, evaluation_filenames=CLIPS).errors

    return validated


def meta_of(package) -> dict:
    with zipfile.ZipFile(package) as archive:
        return yaml.safe_load(archive.read(f"{PLACE}.meta.yaml"))


def test_a_package_is_valid_and_in_the_layout_of_2020(package):
    assert validate_task1b(package, evaluation_filenames=CLIPS).valid
    with zipfile.ZipFile(package) as archive:
        assert sorted(archive.namelist()) == [f"{PLACE}.meta.yaml", f"{PLACE}.output.csv"]
        header = archive.read(f"{PLACE}.output.csv").decode().splitlines()[0]
    assert header == "filename\tscene_label\tindoor\toutdoor\ttransportation"


def test_meta_has_the_fields_of_2020(package):
    meta = meta_of(package)
    assert meta["submission"]["label"] == LABEL
    complexity = meta["system"]["complexity"]
    assert complexity == {
        "total_parameters": 111_306,
        "total_parameters_non_zero": 111_306,
        "model_size": 217.39,
    }
    assert meta["system"]["description"]["input_channels"] == "binaural"
    assert set(meta["results"]["development_dataset"]["class_wise"]) == set(CLASSES)


def test_the_official_list_has_8640_clips(package):
    (error,) = validate_task1b(package).errors
    assert "expected 8640 clips; received 12" in error


def test_a_network_over_500_kb_is_refused(card, tmp_path):
    with pytest.raises(InputError, match="over the size limit of Task 1B"):
        assemble_task1b(
            tmp_path, card, [system(tmp_path, counted=512_001)], evaluation_filenames=CLIPS
        )


@pytest.mark.parametrize("suffix", ["meta.yaml", "output.csv"])
def test_a_missing_file_is_named(changed, suffix):
    (error,) = changed(f"{PLACE}.{suffix}")
    assert f"{LABEL}.{suffix}: file is missing" in error


def test_other_places_are_refused(changed):
    errors = changed(f"{PLACE}.output.csv", rename=f"task1/{LABEL}/{LABEL}.output.csv")
    assert any("unexpected file" in error for error in errors)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("system", "complexity", "model_size"), 500.5, "over the size limit"),
        (("system", "complexity", "total_parameters"), "many", "not a positive number"),
        (
            ("system", "description", "acoustic_features"),
            None,
            "is empty; expected text such as log-mel",
        ),
        (
            ("system", "description", "input_sampling_rate"),
            48000,
            "not text; expected text such as 32kHz",
        ),
        (
            ("results", "development_dataset", "overall", "accuracy"),
            None,
            "expected percent; received None",
        ),
        (("submission", "label"), "Lind_NIS_task1_1", "submission label is malformed"),
        (("submission", "abbreviation"), "far too long a name", "abbreviation is too long"),
        (("system",), 3, "not a mapping"),
        (("results", "development_dataset"), [], "not a mapping"),
    ],
)
def test_defects_of_the_meta_file_are_found(package, changed, path, value, message):
    meta = meta_of(package)
    block = meta
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = value
    errors = changed(f"{PLACE}.meta.yaml", yaml.safe_dump(meta))
    assert any(message in error for error in errors), errors
    assert all("\n" not in error for error in errors)


@pytest.mark.parametrize("content", [b"\xff", "a: [", "", "x: !!python/object:os.system {}"])
def test_meta_files_that_are_none_are_refused(changed, content):
    assert changed(f"{PLACE}.meta.yaml", content)


def test_defects_of_the_output_file_are_found(package, changed):
    with zipfile.ZipFile(package) as archive:
        lines = archive.read(f"{PLACE}.output.csv").decode().splitlines()
    errors = changed(f"{PLACE}.output.csv", "\n".join([*lines[:-1], lines[1]]) + "\n")
    assert any("clip is listed twice" in error for error in errors)
    assert any("clips are missing" in error for error in errors)
