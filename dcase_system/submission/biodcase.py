"""Packages of BioDCASE-Tiny 2026 (Task 3): their layout, configuration and meta fields."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing_directory
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.meta import submission_block, write_meta
from dcase_system.submission.package import (
    REPORT_SUFFIX,
    meta_name,
    submission_label,
    write_zip,
)
from dcase_system.submission.validate_biodcase import (
    CONFIG,
    FRONT_END,
    INFERENCE,
    LABELS,
    MODELS,
    NOT_MEASURED,
    RESULTS,
    TASK,
    validate_biodcase,
)


@dataclass(frozen=True)
class Description2026:
    """`system.description` of a meta file; None where a field does not apply.

    Attributes:
        data_augmentation: Augmentation methods, such as `mixup`.
        model_architecture: Kind of network, such as `depthwise-separable CNN`.
        machine_learning_framework: `tensorflow` or `pytorch`.
        acoustic_features: Features, such as `log mel spectrogram`.
        embeddings: Embeddings of a pre-trained network.
        training_objective: Loss.
        model_compression: Methods such as pruning or quantization.
        external_data_usage: Use of external data.
    """

    data_augmentation: str | None
    model_architecture: str
    machine_learning_framework: str = "tensorflow"
    acoustic_features: str = "log mel spectrogram"
    embeddings: str | None = None
    training_objective: str = "cross entropy"
    model_compression: str | None = "quantization"
    external_data_usage: str | None = None


@dataclass(frozen=True)
class System2026:
    """One submitted system.

    Attributes:
        key: Key in the author card.
        description: Description of the system.
        keras: `.keras` file from features (1, mels, frames, 1) to logits, of stock layers.
        tflite: `.tflite` file of the same network.
        results: Values of `RESULTS` that were measured; all others are stated as not measured.
    """

    key: str
    description: Description2026
    keras: Path
    tflite: Path
    results: Mapping[str, float]


def assemble_biodcase(
    folder: Path,
    card: AuthorCard,
    systems: Sequence[System2026],
    *,
    classes: Sequence[str],
    coding_agents_used: Literal["yes", "no"] | None = None,
    technical_report: Path | None = None,
    for_submission: bool = True,
) -> Path:
    """Writes the files and the zip of up to four systems and validates it.

    Args:
        folder: Output folder for `biodcase.zip` and, beside it, the files in it.
        card: Author card.
        systems: Systems in the order of their index, 1 to 4.
        classes: Class names in the order of the logits.
        coding_agents_used: The authors' answer to a question of the meta file, if given.
        technical_report: A PDF, or None if it is added by hand.
        for_submission: See `validate_biodcase`.

    Returns:
        The path of the zip.

    Raises:
        InputError: Validation finds an error.
    """
    contents: dict[str, Path] = {}
    content = folder / "biodcase"
    with replacing_directory(content) as temporary:
        for index, system in enumerate(systems, 1):
            label = submission_label(card.label.lastname, card.label.institute, index, TASK)
            place = f"{card.label.lastname}_{TASK}_{index}"
            meta = build_meta_2026(card, label, system, coding_agents_used)
            write_meta(temporary / place / meta_name(place), meta)
            write_meta(temporary / place / CONFIG, _config())
            label_dict = {name: number for number, name in enumerate(classes)}
            write_meta(temporary / place / MODELS / LABELS, {"label_dict": label_dict})
            for name in (meta_name(place), CONFIG, f"{MODELS}/{LABELS}"):
                contents[f"{place}/{name}"] = content / place / name
            for path in (system.keras, system.tflite):
                contents[f"{place}/{MODELS}/{system.key}{path.suffix}"] = path
    if technical_report is not None:
        contents[f"{card.label.lastname}_{TASK}{REPORT_SUFFIX}"] = technical_report
    package = folder / "biodcase.zip"
    write_zip(package, contents)
    report = validate_biodcase(package, for_submission=for_submission)
    report.check(package)
    return package


def build_meta_2026(
    card: AuthorCard, label: str, system: System2026, coding_agents_used: str | None
) -> dict[str, Any]:
    """Builds the meta information of one system, in the order of the template.

    Raises:
        InputError: A result has a name that the template lacks.
    """
    unknown = set(system.results) - set(RESULTS)
    if unknown:
        raise InputError(
            "unknown result", where=label, expected=", ".join(RESULTS), received=min(unknown)
        )
    return {
        "submission": {
            **submission_block(card, label, card.system(system.key)),
            "coding_agents_ai_used": coding_agents_used,
        },
        "system": {
            "description": asdict(system.description),
            "source_code": card.source_code,
            "external_datasets": [asdict(dataset) for dataset in card.external_datasets],
        },
        "results": {name: system.results.get(name, NOT_MEASURED) for name in RESULTS},
    }


def _config() -> dict[str, Any]:
    """What the contest's evaluation reads: its own front end, and a network that Keras loads."""
    return {
        "report_dir": "./reports",
        "test_file_dir": "./test_wav_files",
        "test_files_ext": ".wav",
        "inference_handler": {
            "add_python_paths": [],
            **INFERENCE,
            "feature_handler": {
                "module": "feature_handler",
                "attr": "FeatureHandler",
                "args": [],
                "kwargs": dict(FRONT_END),
            },
            "model": {"module": "keras", "attr": "Model", "args": [], "kwargs": {}},
        },
        "generate_embedded_code": {
            "template_dir": "../biodcase_tiny/embedded/firmware",
            "gen_code_dir": "./your_generated_code",
            "gen_code_source_folder_name": "src",
            "serial_device": "/dev/ttyUSB0",
            "quantize": False,  # the .tflite file already is
        },
    }
