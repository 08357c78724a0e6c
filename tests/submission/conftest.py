"""A small good package to break: three steps from card to zip, 50 clips."""

import copy
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from dcase_system.corpora import tau
from dcase_system.submission.card import AuthorCard, read_author_card
from dcase_system.submission.meta import SystemDescription, build_meta, write_meta
from dcase_system.submission.outputs import write_output
from dcase_system.submission.package import (
    SystemFiles,
    meta_name,
    output_name,
    submission_label,
    write_package,
)
from dcase_system.submission.validate import Report, validate_package

CARD = Path(__file__).parent / "author_card.yaml"
DESCRIPTION = SystemDescription(
    input_sampling_rate="32kHz",
    acoustic_features="log-mel energies",
    data_augmentation="freq-mixstyle, time rolling",
    machine_learning_method="CNN",
    external_data_usage="pre-trained model",
    complexity_management="knowledge distillation, pruning, precision_16",
    pipeline="train teachers, train student using knowledge distillation",
    framework="keras/tensorflow",
    split_adaptations=None,
    system_adaptations=None,
)
RESULTS = {
    "overall": {"accuracy": 54.5, "logloss": 1.25},
    "class_wise": {
        scene: {"accuracy": 50.0 + index, "logloss": 1.25} for index, scene in enumerate(tau.SCENES)
    },
    "device_wise": {device: {"accuracy": 54.5, "logloss": None} for device in tau.DEVICES},
}


@pytest.fixture(scope="session")
def card() -> AuthorCard:
    return read_author_card(CARD)


@pytest.fixture(scope="session")
def description() -> SystemDescription:
    return DESCRIPTION


@pytest.fixture(scope="session")
def results() -> dict:
    return copy.deepcopy(RESULTS)


@pytest.fixture(scope="session")
def clips() -> list[str]:
    return [f"audio/{index}.wav" for index in range(50)]


@pytest.fixture(scope="session")
def package(card, clips, tmp_path_factory) -> Path:
    """A good package: one system, five splits, a report."""
    folder = tmp_path_factory.mktemp("package")
    label = submission_label(card.label.lastname, card.label.institute, 1)
    meta = build_meta(
        card,
        label,
        card.system("S1"),
        DESCRIPTION,
        total_parameters=63_748,
        total_model_size=127_496,
        macs=29_982_132,
        results=dict.fromkeys(tau.SPLITS, RESULTS),
    )
    write_meta(folder / meta_name(label), meta)
    outputs = {split: folder / output_name(label, split) for split in tau.SPLITS}
    generator = np.random.default_rng(0)
    for path in outputs.values():
        write_output(path, clips, generator.dirichlet(np.ones(10), len(clips)), tau.SCENES)
    (folder / "report.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    system = SystemFiles(label, folder / meta_name(label), outputs)
    write_package(folder / "package.zip", [system], folder / "report.pdf")
    return folder / "package.zip"


@pytest.fixture
def files(package) -> dict[str, bytes]:
    """Name and content of each entry of the good package, free to be changed."""
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def validate(tmp_path, clips) -> Callable[..., Report]:
    """Zips entries unchanged and validates the package."""

    def validate_files(files: dict[str, bytes], **options: object) -> Report:
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return validate_package(path, **{"evaluation_filenames": clips, **options})

    return validate_files


@pytest.fixture
def meta(files) -> dict:
    return yaml.safe_load(next(text for name, text in files.items() if name.endswith(".yaml")))


@pytest.fixture(scope="session")
def assert_rejected() -> Callable[..., None]:
    """Asserts that some one error names all of these, and that every error is one plain line."""

    def assert_named(report: Report, *named: str) -> None:
        for line in (*report.errors, *report.warnings):
            assert line.isascii()
            assert line.isprintable()
            assert len(line) < 1000
        assert any(all(part in line for part in named) for line in report.errors), report.errors

    return assert_named
