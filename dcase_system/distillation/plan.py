"""Training plans of teachers: the members' hyper-parameters, and what determines their results."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.audio.specs import EmbeddingSpec, FrontEndSpec
from dcase_system.core.errors import InputError
from dcase_system.corpora.corpus import Clips
from dcase_system.corpora.folds import location_folds
from dcase_system.models import registry
from dcase_system.models.stored import weights_digest
from dcase_system.training.plan import TrainingPlan, held_out_rows

_FOLDS_SEED = 0  # the folds of all members are the same


@dataclass(frozen=True, kw_only=True)
class TeacherPlan(TrainingPlan):
    """Training plan of one member.

    Attributes:
        name: Name of the member and its folder.
        spec: Architecture.
        front_end: Front end.
        initial_weights: Folder of a converted checkpoint, or None to train from scratch.
        frozen: Whether the classifier alone is trained; requires initial weights.
        folds: Number of folds of recording locations; 1 trains on all of them.
        fold: Fold that is not trained on, from 0, if there are several.
    """

    name: str
    spec: Any
    front_end: FrontEndSpec
    initial_weights: Path | None = None
    frozen: bool = False
    folds: int = 1
    fold: int = 0

    def __post_init__(self):
        if self.frozen and self.initial_weights is None:
            raise InputError(
                "only a classifier would be trained, on random features",
                where=f"teacher {self.name}",
                expected="initial weights for a frozen network",
            )


def settings_of(
    plans: Sequence[TeacherPlan],
    split: int,
    clips: Mapping[str, Any],
    impulse_responses: ImpulseResponses | None = None,
) -> dict[str, Any]:
    """Everything that determines the results of `train_teachers`, for `runs.check`.

    Args:
        plans: Plans of the members.
        split: Percentage of the training list.
        clips: Record of the clips, or of their lists.
        impulse_responses: Impulse responses for members with device augmentation.

    Raises:
        InputError: The plans are inconsistent, or initial weights are missing.
    """
    plans = checked(plans, len(clips["scenes"]))
    return {
        "kind": "teachers",
        "split": split,
        "members": {plan.name: _settings(plan) for plan in plans},
        "impulse_responses": impulse_responses and impulse_responses.key,
        **clips,
    }


def _settings(plan: TeacherPlan) -> dict[str, Any]:
    """What determines one training, JSON-serialisable; initial weights count by their content."""
    values = {**asdict(plan), "spec": registry.spec_to_json(plan.spec)}
    if plan.initial_weights is not None:
        values["initial_weights"] = weights_digest(plan.initial_weights)
    return values


def trained_rows(train: Clips, plan: TeacherPlan) -> np.ndarray:
    """Returns a boolean mask (clips,) of the clips that a member is trained on."""
    rows = ~held_out_rows(train, plan.validation_fraction)
    if plan.folds > 1:
        rows[rows] = location_folds(train.take(rows), plan.folds, _FOLDS_SEED) != plan.fold
    return rows


def external_data_of(plans: Sequence[TeacherPlan]) -> list[str]:
    """External data the members use, in the words of the meta file."""
    used = {
        "dataset": any(plan.impulse_response_probability > 0 for plan in plans),
        "pre-trained model": any(
            plan.initial_weights is not None or isinstance(plan.front_end, EmbeddingSpec)
            for plan in plans
        ),
    }
    return [name for name, is_used in used.items() if is_used]


def checked(plans: Sequence[TeacherPlan], classes: int) -> list[TeacherPlan]:
    """Checks that the plans are consistent, and sets their number of classes."""
    names = [plan.name for plan in plans]
    if not plans or len(set(names)) != len(names):
        raise InputError(
            "teachers need distinct names",
            where="teachers",
            expected="one or more",
            received=", ".join(names),
        )
    for plan in plans:
        if plan.spec.input_shape[0] != plan.front_end.n_mels:
            raise InputError(
                "front end does not fit the network",
                where=f"teacher {plan.name}",
                expected=f"{plan.spec.input_shape[0]} mel bands",
                received=plan.front_end.n_mels,
            )
    if len({plan.validation_fraction for plan in plans}) != 1:
        raise InputError("teachers hold out different clips", where="validation_fraction")
    folds = {plan.folds for plan in plans}
    if len(folds) != 1 or {plan.fold for plan in plans} != set(range(max(folds))):
        raise InputError(
            "not every fold has a teacher",
            where="folds",
            expected="a number of folds up to that of teachers",
            received=f"{max(folds)} folds, {len(plans)} teachers",
        )
    return [replace(plan, spec=registry.with_classes(plan.spec, classes)) for plan in plans]
