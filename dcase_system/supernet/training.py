"""Trains a supernet, or a CNN10 alone, on multi-label clips (Lin et al., section 2.3)."""

from pathlib import Path

import keras
import numpy as np

from dcase_system.audio.specs import FrontEndSpec
from dcase_system.audio.store import Waveforms
from dcase_system.distillation.losses import MultiLabelDistillationLoss
from dcase_system.parallel.workers import team
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.plans import SupernetPlan, does_not_fit
from dcase_system.supernet.search_space import SearchSpace
from dcase_system.supernet.step import SupernetTraining
from dcase_system.training.callbacks import Validation
from dcase_system.training.fit import Training, fit
from dcase_system.training.log import TrainingLog
from dcase_system.training.predict import Validate


def train_supernet(
    supernet: ElasticNetwork,
    space: SearchSpace | None,
    front_end_spec: FrontEndSpec,
    waveforms: Waveforms,
    targets: np.ndarray,
    plan: SupernetPlan,
    *,
    checkpoint: Path,
    metrics_log: TrainingLog,
    validate: Validate | None = None,
    name: str,
) -> None:
    """Trains in place; an interrupted training resumes from its checkpoint, to the same weights.

    Args:
        supernet: Supernet with its initial weights.
        space: Search space to sample from; None trains the largest sub-network alone, for a
            teacher, a baseline or an extracted network.
        front_end_spec: Spec of the front end.
        waveforms: Waveforms of the clips.
        targets: Labels (clips, classes), or (clips, 2, classes) from `pack_targets` with a
            teacher's logits of the clean clips; then the loss uses only the teacher.
        plan: Hyper-parameters.
        checkpoint: See `training.fit`.
        metrics_log: See `training.fit`.
        validate: Function whose values are logged after each epoch.
        name: Name for the progress bar.

    Raises:
        InputError: Front end, targets and supernet do not match; mixup is combined with a teacher;
            or training diverges.
    """
    taught, devices = targets.ndim == 3, team().devices
    if space is not None and devices > 1:
        # Each device has sub-networks of its own.
        if plan.in_place:
            raise does_not_fit("in_place", "one device", devices)
        if devices > plan.samples:
            raise does_not_fit("number of devices", f"at most {plan.samples}", devices)
    _check(supernet, space, front_end_spec, waveforms, targets, plan)
    model = SupernetTraining(supernet, front_end_spec, plan, space)
    model(waveforms.gather(np.arange(1)))  # builds all layers
    labels_loss = keras.losses.BinaryCrossentropy(from_logits=True)
    fit(
        Training(model, waveforms, targets),
        plan.fit_plan(len(waveforms)),
        loss=MultiLabelDistillationLoss() if taught else labels_loss,
        callbacks=[] if validate is None else [Validation(validate)],
        checkpoint=checkpoint,
        metrics_log=metrics_log,
        name=name,
    )


def _check(
    supernet: ElasticNetwork,
    space: SearchSpace | None,
    spec: FrontEndSpec,
    waveforms: Waveforms,
    targets: np.ndarray,
    plan: SupernetPlan,
) -> None:
    mels, classes = supernet.spec.input_shape[0], supernet.spec.classes
    if spec.n_mels != mels:
        raise does_not_fit("front end", f"{mels} mel bands", spec.n_mels)
    halvings = 2 ** len(supernet.spec.blocks)
    frames = spec.frames(waveforms.shape[0])
    if frames < halvings:
        raise does_not_fit("clip length", f"at least {halvings} frames", frames)
    if targets.shape not in ((len(waveforms), classes), (len(waveforms), 2, classes)):
        shape = f"({len(waveforms)}, {classes}), or with 2 in between"
        raise does_not_fit("shape of the targets", shape, targets.shape)
    if plan.mixup and targets.ndim == 3:
        raise does_not_fit(
            "mixup", "labels alone: the teacher's logits are of clean clips", "a teacher"
        )
    if space is not None and space.base != supernet.spec:
        raise does_not_fit("search space", f"base {supernet.spec.blocks}", space.base.blocks)
