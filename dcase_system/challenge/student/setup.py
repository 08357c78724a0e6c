"""What the training stages of a student share: clips, targets, loss, batches and logs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.clips import Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.student.plan import Step, StudentPlan
from dcase_system.core.errors import InputError
from dcase_system.corpora.tags import presence
from dcase_system.distillation.consistent import (
    ConsistentTraining,
    Teachers,
    load_teachers,
    with_answers,
)
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.distillation.losses import (
    DistillationLoss,
    MultiLabelDistillationLoss,
    PackedAccuracy,
    pack_targets,
)
from dcase_system.training.augmented import heard_by
from dcase_system.training.batches import epoch_steps, training_batches
from dcase_system.training.fit import Training
from dcase_system.training.log import TENSORBOARD, TrainingLog
from dcase_system.training.mixup import Mixup, MixupTraining, mixed
from dcase_system.training.plan import label_loss, prepare
from dcase_system.training.predict import Validate
from dcase_system.training.seeds import derive


@dataclass(frozen=True)
class StageSetup:
    """One training stage of a student, without what it does to the network.

    Attributes:
        run_dir: Run directory, for the logs.
        step: Name, epochs and pruning round of the stage.
        plan: Hyper-parameters, with the epochs and the seed of this stage.
        data: Clips.
        ensemble: Teachers, or None.
        impulse_responses: Responses for device augmentation, if the plan uses it.
        device: Device to whose clips the training is restricted; None for the whole list.
    """

    run_dir: Path
    step: Step
    plan: StudentPlan
    data: Data
    ensemble: Ensemble | None
    impulse_responses: ImpulseResponses | None
    device: str | None = None

    def prepared(self, network: keras.Model) -> Training:
        """Adds front end, augmentation and clips to a network, see `training.plan.prepare`."""
        return prepare(
            network,
            self.plan.front_end,
            self.data.train,
            self._targets(),
            self.plan,
            self.impulse_responses,
            None if self.device is None else self.data.train.clips.recorded_by(self.device),
        )

    def teachers(self) -> Teachers | None:
        """Loads the teachers that answer in every step, if the plan has them."""
        if self.ensemble is None or self.plan.teaching == "stored":
            return None
        samples = self.data.train.audio.shape[0]
        return load_teachers(self.ensemble, self.data.scenes, samples, self.plan.average)

    def mixup(self) -> Mixup | None:
        """Returns the mixup of waveforms and targets, if the plan has it."""
        if not self.plan.mixup_alpha:
            return None
        loss, seed = self.loss(), derive(self.plan.seed, "mixup")
        return Mixup(self.plan.mixup_alpha, seed, getattr(loss, "mixed", mixed))

    def mixed_and_taught(self, training: Training) -> Training:
        """Lets a training mix waveforms, and teachers answer in every step, as the plan says."""
        mixup, teachers = self.mixup(), self.teachers()
        if teachers is not None:
            return replace(training, model=ConsistentTraining(training.model, teachers, mixup))
        if mixup is not None:
            return replace(training, model=MixupTraining(training.model, mixup))
        return training

    def loss(self) -> keras.losses.Loss:
        """Returns the loss: distillation with teachers, cross-entropy without."""
        if not self.ensemble:
            return label_loss(self.data.several_labels, self.plan.label_smoothing)
        if self.data.several_labels:
            return MultiLabelDistillationLoss()
        plan = self.plan
        return DistillationLoss(plan.label_weight, plan.temperature, plan.label_smoothing)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns the metrics of the training clips; none if a clip may have several labels."""
        if self.data.several_labels:  # no clip is right or wrong
            return []
        accuracy = PackedAccuracy if self.ensemble else keras.metrics.CategoricalAccuracy
        return [accuracy(name="accuracy")]

    def epoch_steps(self, training: Training) -> int:
        """Returns the number of batches in an epoch."""
        return epoch_steps(len(training.waveforms), self.plan.batch_size)

    def feature_batches(
        self, training: Training, teachers: Teachers | None
    ) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """Yields the batches that `fit` would feed to the network: (features, targets)."""
        model = training.model
        front = keras.Model(model.input, [heard_by(model), model.layers[-2].output])
        mixup = self.mixup()

        @tf.function(autograph=False)
        def augmented(waveforms, targets):
            if mixup is not None:
                waveforms, targets = mixup(waveforms, targets)
            heard, features = front(waveforms, training=True)
            return features, with_answers(targets, teachers(heard)) if teachers else targets

        for waveforms, targets in training_batches(
            training.waveforms,
            training.targets,
            self.plan.batch_size,
            seed=self.plan.seed,
            augmentation=training.augmentation,
            shares=training.shares,
        ):
            yield augmented(waveforms, targets)

    def feature_epoch(self, training: Training) -> Iterator[tf.Tensor]:
        """Yields the features that the network gets in an epoch, batch by batch."""
        batches = islice(self.feature_batches(training, None), self.epoch_steps(training))
        return (features for features, _ in batches)

    def metrics_log(self) -> TrainingLog:
        """Opens the log of the epochs."""
        return TrainingLog(self.run_dir / self.step.log("metrics.jsonl"), self._curves)

    def pruning_log(self) -> TrainingLog:
        """Opens the log of the updates of the masks."""
        path = self.run_dir / self.step.log("pruning.jsonl")
        # In its own folder: TensorBoard may read the event files of a folder one after another.
        return TrainingLog(path, self._curves / "pruning", axis="step")

    @property
    def _curves(self) -> Path:
        return self.run_dir / TENSORBOARD / self.step.name

    def _targets(self) -> np.ndarray:
        """Returns targets (clips, classes), or (clips, 2, classes) with teachers."""
        labels = presence(self.data.train.clips.labels, len(self.data.scenes))
        if self.ensemble is None:
            return labels
        return pack_targets(labels, self.ensemble.mean_logits(self.plan.average))


def log_epoch(log: TrainingLog, validate: Validate | None, epoch: int, loss: float) -> None:
    """Logs an epoch of tf_keras training, which cannot use our callbacks.

    Args:
        log: Log of the epochs.
        validate: Function that scores the held-out clips, or None.
        epoch: Number of the epoch, from 1.
        loss: Mean loss of the epoch.

    Raises:
        InputError: The loss is not finite.
    """
    if not np.isfinite(loss):
        raise InputError("training has diverged", where=f"epoch {epoch}", received=loss)
    row: dict[str, float] = {"epoch": epoch, "loss": loss}
    if validate is not None:
        row |= validate()
    log.add(row)
