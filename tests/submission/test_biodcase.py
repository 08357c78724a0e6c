"""Packages of BioDCASE-Tiny 2026: layout, configuration, meta fields, models."""

import io
import json
import zipfile

import pytest
import yaml

from dcase_system.core.errors import InputError
from dcase_system.submission.biodcase import Description2026, System2026, assemble_biodcase
from dcase_system.submission.validate_biodcase import CLASSES, RESULTS, validate_biodcase

PLACE = "Lind_task3_1"
META = f"{PLACE}/{PLACE}.meta.yaml"
CONFIG = f"{PLACE}/config_submission.yaml"
LABELS = f"{PLACE}/your_submission_model/label_dict.yaml"
KERAS = f"{PLACE}/your_submission_model/separable_16.keras"
TFLITE = KERAS.replace(".keras", ".tflite")


def keras_file(*layers: dict) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("config.json", json.dumps({"module": "keras", "layers": layers}))
    return content.getvalue()


STOCK = {"module": "keras.layers", "class_name": "Conv2D", "registered_name": None}
OURS = {
    "module": "dcase_system.x",
    "class_name": "LogMel",
    "registered_name": "dcase_system>LogMel",
}


@pytest.fixture
def package(card, tmp_path):
    (tmp_path / "a.keras").write_bytes(keras_file(STOCK))
    (tmp_path / "a.tflite").write_bytes(b"\0\0\0\0TFL3")
    system = System2026(
        "separable_16",
        Description2026("mixup", "CNN"),
        tmp_path / "a.keras",
        tmp_path / "a.tflite",
        {"accuracy_tflite": 0.7, "macs_tflite": 5_000_000},
    )
    return assemble_biodcase(tmp_path / "out", card, [system], classes=CLASSES)


def contents(package) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_package_is_in_the_contests_layout(package):
    files = contents(package)
    assert set(files) == {META, CONFIG, LABELS, KERAS, TFLITE}
    assert yaml.safe_load(files[LABELS])["label_dict"]["Tawny Owl"] == 10
    config = yaml.safe_load(files[CONFIG])["inference_handler"]
    assert config["feature_handler"]["kwargs"]["channel_dimension_at_end"] is True
    meta = yaml.safe_load(files[META])
    assert meta["submission"]["label"] == "Lind_NIS_task3_1"
    assert list(meta["results"]) == list(RESULTS)
    assert meta["results"]["accuracy_tflite"] == 0.7
    assert meta["results"]["embedded_time_ms_model"] == "N/A"  # not measured on a board
    report = validate_biodcase(package)
    assert report.valid
    assert "technical report is missing" in report.warnings[0]
    assert "coding_agents_ai_used: is null" in report.warnings[1]
    assert "technical report" in validate_biodcase(package, require_report=True).errors[0]


def in_yaml(change):
    def changed(content: bytes) -> bytes:
        value = yaml.safe_load(content)
        change(value)
        return yaml.safe_dump(value, sort_keys=False).encode()

    return changed


def to(*path, value):
    def change(content):
        for name in path[:-1]:
            content = content[name]
        content[path[-1]] = value

    return in_yaml(change)


HANDLER = ("inference_handler", "feature_handler", "kwargs")
REPLACED = [
    (
        META,
        to("submission", "label", value="Lind_NIS_task3_2"),
        "label: differs from the directory",
    ),
    (META, to("submission", "abbreviation", value="x" * 11), "abbreviation is too long"),
    (META, to("results", "accuracy_tflite", value=70.0), "accuracy_tflite: not a result"),
    (META, to("results", "macs_tflite", value="many"), "macs_tflite: not a result"),
    (META, in_yaml(lambda meta: meta["results"].pop("macs_tflite")), "'macs_tflite' is missing"),
    (META, to("system", "description", "machine_learning_framework", value="jax"), "framework"),
    (META, lambda _: b"\xff", "not UTF-8"),
    (CONFIG, to(*HANDLER, "window_stride", value=256), "kwargs.window_stride: differs"),
    (
        CONFIG,
        to(*HANDLER, "channel_dimension_at_end", value=1),
        "channel_dimension_at_end: differs",
    ),
    (CONFIG, to("inference_handler", "saved_model_extension", value=".pth"), "saved_model_ext"),
    (CONFIG, lambda _: b"[]", "inference_handler.model.module: differs"),
    (LABELS, to("label_dict", "Mallard", value=0), "not numbered in order"),
    (LABELS, in_yaml(lambda value: value["label_dict"].pop("Tawny Owl")), "not the contest's"),
    (LABELS, lambda _: b"label_dict: [1]", "no class names"),
    (KERAS, lambda _: keras_file(STOCK, OURS), "Keras alone cannot load.*LogMel"),
    (KERAS, lambda _: keras_file({**STOCK, "class_name": "Lambda"}), "cannot load.*Lambda"),
    (KERAS, lambda _: b"PK", "not a .keras file"),
    (TFLITE, lambda _: b"nothing!", "not a TFLite model"),
]


@pytest.mark.parametrize(("name", "change", "message"), REPLACED)
def test_each_defect_is_one_error(package, tmp_path, name, change, message):
    files = contents(package)
    files[name] = change(files[name])
    assert_errors(files, tmp_path, message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (META, None, "meta.yaml: file is missing"),
        (CONFIG, None, "config_submission.yaml: file is missing"),
        (KERAS, None, "wrong number of .keras files"),
        (TFLITE, TFLITE.replace("separable", "other"), "the models have different names"),
        (None, f"{PLACE}/submission_test.py", "does not take this file"),
        (None, "readme.txt", "unexpected file"),
        (None, f"../{PLACE}/x", "points outside"),
        (None, "Lind_task3.technical_report.pdf", "not a PDF"),
    ],
)
def test_files_that_are_missing_or_in_the_way(package, tmp_path, old, new, message):
    files = contents(package)
    content = files.pop(old) if old else b"x"
    if new:
        files[new] = content
    assert_errors(files, tmp_path, message)


def assert_errors(files, tmp_path, message):
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    errors = validate_biodcase(path).errors
    assert errors
    with pytest.raises(InputError, match=message):
        raise InputError(" | ".join(errors), where="package")


def test_a_front_end_of_ones_own_may_have_other_settings(package, tmp_path):
    files = contents(package)
    files[CONFIG] = to(*HANDLER, "window_stride", value=256)(files[CONFIG])
    files[f"{PLACE}/feature_handler.py"] = b"class FeatureHandler: ..."
    files["Lind_task3.technical_report.pdf"] = b"%PDF-1.7"
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert validate_biodcase(path, require_report=True).valid


def test_other_classes_are_warned_of_unless_the_package_is_for_submission(card, tmp_path, package):
    folder = package.parent.parent
    system = System2026(
        "toy", Description2026(None, "CNN"), folder / "a.keras", folder / "a.tflite", {}
    )
    given = {"classes": ("bus", "tram"), "coding_agents_used": "no"}
    with pytest.raises(InputError, match="classes are not the contest's"):
        assemble_biodcase(tmp_path / "b", card, [system], **given)
    made = assemble_biodcase(tmp_path / "c", card, [system], **given, for_submission=False)
    warnings = validate_biodcase(made, for_submission=False).warnings
    assert any("classes are not the contest's" in line for line in warnings)
