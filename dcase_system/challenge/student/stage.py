"""One training stage of a student; a round of pruning masks channels during training."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.clips import Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.audio.log_mel import LogMel
from dcase_system.challenge.student.plan import FRONT_END, Step, StudentPlan, signature_of
from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.distillation.losses import DistillationLoss, PackedAccuracy, pack_targets
from dcase_system.models import registry
from dcase_system.models.signature import save_signature
from dcase_system.models.stored import load_network, save_network
from dcase_system.models.widths import spec_of_network
from dcase_system.parallel.workers import team
from dcase_system.pruning import importance
from dcase_system.pruning.callback import PruneChannels
from dcase_system.pruning.masks import kept_by_masks, masked_model
from dcase_system.pruning.rounds import MagnitudeRound, PruningRound, Target, step_ratios
from dcase_system.pruning.slim import slim
from dcase_system.training import seeds
from dcase_system.training.batches import epoch_steps, training_batches
from dcase_system.training.fit import Training, fit
from dcase_system.training.log import TENSORBOARD, TrainingLog
from dcase_system.training.plan import one_hot, prepare
from dcase_system.training.predict import Validate
from dcase_system.training.schedule import warmup_steps

_IMPORTANCE = {
    "l1": importance.l1_importance,
    "l2": importance.l2_importance,
    "fpgm": importance.fpgm_importance,
}
# Number of clips, without augmentation, whose gradients the Taylor expansion uses; batch size.
_TAYLOR_CLIPS, _TAYLOR_BATCH = 1_024, 64


@dataclass(frozen=True)
class StudentStage:
    """A stage, called with its folder, its checkpoint, a spec and the previous stage's folder.

    Attributes:
        run_dir: Run directory, for the logs.
        step: Name, epochs and pruning round of the stage.
        plan: Hyper-parameters, with the epochs and the seed of this stage.
        data: Clips.
        ensemble: Teachers, or None.
        impulse_responses: Responses for device augmentation, if the plan uses it.
        later_epochs: Epochs of the stages after this one, for the time left.
    """

    run_dir: Path
    step: Step
    plan: StudentPlan
    data: Data
    ensemble: Ensemble | None
    impulse_responses: ImpulseResponses | None
    later_epochs: int = 0

    def __call__(self, folder: Path, checkpoint: Path, spec: Any, previous: Path | None) -> None:
        """Trains, and writes the network and its spec to `folder`."""
        seeds.set_seed(self.plan.seed)
        network = load_network(previous) if previous else registry.build(spec)
        if isinstance(self.step.round, PruningRound):
            target = Target(self.step.round, registry.at_fixed_length(network, spec))
            masked = masked_model(network)
            with self._pruning_log() as log:
                self._fit(masked, checkpoint, self._pruning(network, masked, target, log))
            network = slim(network, kept_by_masks(masked))
            spec = spec_of_network(spec, network)
        elif isinstance(self.step.round, MagnitudeRound):
            self._prune_magnitude(network, self.step.round)
        else:
            self._fit(network, checkpoint)
        save_network(folder, network, spec)
        save_signature(folder, signature_of(self.data))

    def _fit(
        self,
        network: keras.Model,
        checkpoint: Path,
        callbacks: Callable[[Training], Sequence[keras.callbacks.Callback]] = lambda training: (),
    ) -> None:
        training = self._prepared(network)
        accuracy = PackedAccuracy if self.ensemble else keras.metrics.CategoricalAccuracy
        fit(
            training,
            self.plan,
            loss=self._loss(),
            metrics=[accuracy(name="accuracy")],
            callbacks=callbacks(training),
            checkpoint=checkpoint,
            metrics_log=self._metrics_log(),
            name=f"split{self.data.split} {self.plan.architecture} {self.step.name}",
            later_epochs=self.later_epochs,
        )

    def _prepared(self, network: keras.Model) -> Training:
        return prepare(
            network,
            FRONT_END,
            self.data.train,
            self._targets(),
            self.plan,
            self.impulse_responses,
        )

    def _targets(self) -> np.ndarray:
        """Returns targets (clips, classes), or (clips, 2, classes) with teachers."""
        labels = one_hot(self.data.train.clips.labels, len(self.data.scenes))
        return pack_targets(labels, self.ensemble.logits) if self.ensemble else labels

    def _loss(self) -> keras.losses.Loss:
        if self.ensemble:
            return DistillationLoss(self.plan.label_weight, self.plan.temperature)
        return keras.losses.CategoricalCrossentropy(from_logits=True)

    def _pruning(
        self, network: keras.Model, masked: keras.Model, target: Target, log: TrainingLog
    ) -> Callable[[Training], Sequence[keras.callbacks.Callback]]:
        """Returns a factory of the callback that masks channels and logs each update."""
        pruning = self.step.round
        assert isinstance(pruning, PruningRound)

        def callbacks(training: Training) -> list[keras.callbacks.Callback]:
            steps = self.plan.epochs * self._epoch_steps(training)
            schedule = step_ratios(pruning.schedule, target.ratio, pruning.updates, steps)
            measure = self._measure(network, pruning.importance, training)
            validate = training.validate(self.plan.batch_size)

            def on_update(step: int, ratio: float) -> None:
                row: dict[str, float] = {"step": step, "ratio": ratio}
                if validate is not None:
                    row |= validate()
                log.add(row)

            def kept(ratio: float) -> dict[str, np.ndarray]:
                return target.kept(measure(), ratio)

            return [PruneChannels(masked, kept, schedule, on_update)]

        return callbacks

    def _measure(
        self, network: keras.Model, name: str, training: Training
    ) -> Callable[[], importance.Importance]:
        """Returns a function that measures channel importance from the current weights."""
        if name != "taylor":
            return lambda: _IMPORTANCE[name](network)
        order = np.random.default_rng(self.plan.seed).permutation(len(training.waveforms))
        front_end, batches = LogMel(FRONT_END), []
        for start in range(0, min(_TAYLOR_CLIPS, len(order)), _TAYLOR_BATCH):
            positions = order[start : start + _TAYLOR_BATCH]
            features = front_end(training.waveforms.gather(positions))
            batches.append((features, training.targets[positions]))
        return lambda: importance.taylor_importance(network, batches, self._loss())

    def _prune_magnitude(self, network: keras.Model, pruning: MagnitudeRound) -> None:
        """Prunes by magnitude, without a checkpoint: an interrupted stage starts over."""
        from dcase_system.pruning import magnitude  # imports tf_keras, which takes seconds

        if team().devices > 1:
            raise InputError("magnitude pruning trains on one device", where="distribution")
        training = self._prepared(network)
        steps_per_epoch = self._epoch_steps(training)
        steps = pruning.epochs * steps_per_epoch
        validate = training.validate(self.plan.batch_size)

        with self._metrics_log() as log:
            magnitude.prune_magnitude(
                network,
                self._feature_batches(training),
                step_ratios(pruning.schedule, pruning.sparsity, pruning.updates, steps),
                loss=self._loss(),
                epochs=pruning.epochs,
                steps_per_epoch=steps_per_epoch,
                learning_rate=self.plan.learning_rate,
                warmup=warmup_steps(steps),
                weight_decay=self.plan.weight_decay,
                two_of_four=pruning.pattern == "2:4",
                on_epoch=partial(self._log_epoch, log, validate),
            )

    def _log_epoch(
        self, log: TrainingLog, validate: Validate | None, epoch: int, loss: float
    ) -> None:
        """Logs an epoch of tf_keras training, which cannot use our callbacks."""
        if not np.isfinite(loss):
            raise InputError("training has diverged", where=f"epoch {epoch}", received=loss)
        row: dict[str, float] = {"epoch": epoch, "loss": loss}
        if validate is not None:
            row |= validate()
        log.add(row)

    def _feature_batches(self, training: Training) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """Yields the batches that `fit` would feed to the network: (features, targets)."""
        front = keras.Model(training.model.input, training.model.layers[-2].output)
        augmented = tf.function(lambda waveforms: front(waveforms, training=True))
        for waveforms, targets in training_batches(
            training.waveforms,
            training.targets,
            self.plan.batch_size,
            seed=self.plan.seed,
            augmentation=training.augmentation,
            shares=training.shares,
        ):
            yield augmented(waveforms), targets

    def _epoch_steps(self, training: Training) -> int:
        return epoch_steps(len(training.waveforms), self.plan.batch_size)

    def _metrics_log(self) -> TrainingLog:
        return TrainingLog(self.run_dir / self.step.log("metrics.jsonl"), self._curves)

    def _pruning_log(self) -> TrainingLog:
        path = self.run_dir / self.step.log("pruning.jsonl")
        # In its own folder: TensorBoard may read the event files of a folder one after another.
        return TrainingLog(path, self._curves / "pruning", axis="step")

    @property
    def _curves(self) -> Path:
        return self.run_dir / TENSORBOARD / self.step.name
