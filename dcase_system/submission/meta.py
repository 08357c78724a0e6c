"""Meta files: authors, system description, complexity and results."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml

from dcase_system.core.errors import InputError
from dcase_system.core.files import write_text
from dcase_system.corpora import tau
from dcase_system.submission.card import AuthorCard, SystemName
from dcase_system.submission.fields import Author, text

Results = Mapping[str, Any]
"""Results on the development-test clips, accuracies in percent:
`{"overall": {"accuracy", "logloss"}, "class_wise": {scene: ...}, "device_wise": {device: ...}}`."""

METRICS = ("accuracy", "logloss")
_DECIMALS = 4


@dataclass(frozen=True)
class SystemDescription:
    """`system.description` of a meta file: general tags, None where a field does not apply.

    Attributes:
        split_adaptations: Hyper-parameters that differ between the splits.
        system_adaptations: Differences from the author's other submissions.
    """

    input_sampling_rate: Annotated[str, text("32kHz")]
    acoustic_features: Annotated[str, text("log-mel energies")]
    data_augmentation: Annotated[str, text("mixup, time rolling")] | None
    machine_learning_method: Annotated[str, text("CNN")]
    external_data_usage: Annotated[str, text("pre-trained model")] | None
    complexity_management: Annotated[str, text("pruning, precision_16")] | None
    pipeline: (
        Annotated[str, text("train teachers, train student using knowledge distillation")] | None
    )
    framework: Annotated[str, text("keras/tensorflow")]
    split_adaptations: Annotated[str, text("learning rate, epochs")] | None
    system_adaptations: Annotated[str, text("base width")] | None


def build_meta(
    card: AuthorCard,
    label: str,
    name: SystemName,
    description: SystemDescription,
    *,
    total_parameters: int,
    total_model_size: int,
    macs: int,
    results: Mapping[int, Results | None],
    scenes: Sequence[str] = tau.SCENES,
    devices: Sequence[str] = tau.DEVICES,
) -> dict[str, Any]:
    """Builds the meta information of one system, in the order of the official template.

    Args:
        card: Authors, external datasets and source code.
        label: Submission label, `Doe_EXU_task1_1`.
        name: Names of the system in the result tables.
        description: Tags that describe the system.
        total_parameters: Parameters of the submitted model.
        total_model_size: Bytes of the parameters at the submitted precision.
        macs: Multiply-accumulate operations for one clip, by the official count.
        results: Results by split percentage; a split that is missing or None was not run and is
            null. A metric that is missing or not finite is null too.
        scenes: Classes that `class_wise` lists.
        devices: Recording devices that `device_wise` lists.

    Raises:
        InputError: `results` has an unknown split, scene or device.
    """
    unknown = [split for split in results if split not in tau.SPLITS]
    if unknown:
        raise InputError(
            "unknown split", where=f"results of {label}", expected=tau.SPLITS, received=unknown[0]
        )
    return {
        "submission": submission_block(card, label, name),
        "system": system_block(
            card,
            asdict(description),
            {
                "total_model_size": int(total_model_size),
                "total_parameters": int(total_parameters),
                "macs": int(macs),
            },
        ),
        "results": {
            "development_dataset": {
                f"split_{split}": _results(
                    results.get(split), scenes, devices, f"split_{split} of {label}"
                )
                for split in tau.SPLITS
            }
        },
    }


def meta_text(meta: Mapping[str, Any]) -> str:
    """Formats the result of `build_meta` as YAML, keys in its order."""
    written = yaml.safe_dump(dict(meta), sort_keys=False, allow_unicode=True, width=100)
    # PyYAML folds U+0085 in a key into spaces; escaped, it survives.
    return (
        written if "\x85" not in written else yaml.safe_dump(dict(meta), sort_keys=False, width=100)
    )


def write_meta(path: str | Path, meta: Mapping[str, Any]) -> None:
    """Writes a YAML file of a package, such as `<label>.meta.yaml`, keys in their order."""
    write_text(path, meta_text(meta))


def submission_block(card: AuthorCard, label: str, name: SystemName) -> dict[str, Any]:
    """Builds the block `submission`, the same in every edition."""
    return {
        "label": label,
        "name": name.name,
        "abbreviation": name.abbreviation,
        "authors": [_author_block(author) for author in card.authors],
    }


def system_block(
    card: AuthorCard, description: Mapping[str, Any], complexity: Mapping[str, Any]
) -> dict[str, Any]:
    """Builds the block `system`: description, complexity, datasets and source code."""
    return {
        "description": dict(description),
        "complexity": dict(complexity),
        "external_datasets": [asdict(dataset) for dataset in card.external_datasets],
        "source_code": card.source_code,
    }


def _author_block(author: Author) -> dict[str, Any]:
    """Builds an author's block in a meta file."""
    fields: dict[str, Any] = {
        "lastname": author.lastname,
        "firstname": author.firstname,
        "email": author.email,
    }
    if author.corresponding:
        fields["corresponding"] = True
    affiliations = []
    for affiliation in author.affiliation:
        given = asdict(affiliation)
        order = ("abbreviation", "institute", "department", "location")
        affiliations.append({key: given[key] for key in order if given[key] is not None})
    fields["affiliation"] = affiliations[0] if len(affiliations) == 1 else affiliations
    return fields


def _results(
    results: Results | None, scenes: Sequence[str], devices: Sequence[str], where: str
) -> dict[str, Any] | None:
    if results is None:
        return None
    block: dict[str, Any] = {"overall": metrics_block(results.get("overall"))}
    for key, names in (("class_wise", scenes), ("device_wise", devices)):
        given = results.get(key) or {}
        for name in given:
            if name not in names:
                raise InputError(
                    f"unknown name in {key}", where=where, expected=", ".join(names), received=name
                )
        block[key] = {name: metrics_block(given.get(name)) for name in names}
    return block


def metrics_block(values: Mapping[str, float | None] | None) -> dict[str, float | None]:
    """Builds accuracy and log loss; null if missing or not finite."""
    return {metric: _number((values or {}).get(metric)) for metric in METRICS}


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), _DECIMALS)
