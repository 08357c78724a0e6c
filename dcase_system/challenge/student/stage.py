"""One training stage of a student; a round of pruning masks channels during training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.audio.front_ends import front_end
from dcase_system.challenge.student.plan import signature_of
from dcase_system.challenge.student.setup import StageSetup, log_epoch
from dcase_system.core.errors import InputError
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
from dcase_system.training.averaging import AverageWeights
from dcase_system.training.fit import Training, fit
from dcase_system.training.log import TrainingLog
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
        setup: Clips, plan and logs of the stage.
        later_epochs: Epochs of the stages after this one, for the time left.
    """

    setup: StageSetup
    later_epochs: int

    def __call__(self, folder: Path, checkpoint: Path, spec: Any, previous: Path | None) -> None:
        """Trains, and writes the network and its spec to `folder`."""
        setup, pruning = self.setup, self.setup.step.round
        seeds.set_seed(setup.plan.seed)
        network = load_network(previous) if previous else registry.build(spec)
        if isinstance(pruning, PruningRound):
            target = Target(pruning, registry.at_fixed_length(network, spec))
            masked = masked_model(network)
            with setup.pruning_log() as log:
                self._fit(masked, checkpoint, self._pruning(network, masked, pruning, target, log))
            network = slim(network, kept_by_masks(masked))
            spec = spec_of_network(spec, network)
        elif isinstance(pruning, MagnitudeRound):
            self._prune_magnitude(network, pruning)
        else:
            self._fit(network, checkpoint)
        save_network(folder, network, spec)
        save_signature(folder, signature_of(setup.plan, setup.data))

    def _fit(
        self,
        network: keras.Model,
        checkpoint: Path,
        callbacks: Callable[[Training], Sequence[keras.callbacks.Callback]] = lambda training: (),
    ) -> None:
        setup = self.setup
        prepared = setup.prepared(network)
        training = setup.mixed_and_taught(prepared)
        averaging, decay = None, setup.plan.ema_decay
        if decay:
            averaging = AverageWeights(decay, network, partial(setup.feature_epoch, prepared))
        fit(
            training,
            setup.plan,
            loss=setup.loss(),
            metrics=setup.metrics(),
            callbacks=callbacks(training),
            checkpoint=checkpoint,
            metrics_log=setup.metrics_log(),
            name=f"split{setup.data.split} {setup.plan.architecture} {setup.step.name}",
            later_epochs=self.later_epochs,
            averaging=averaging,
        )

    def _pruning(
        self,
        network: keras.Model,
        masked: keras.Model,
        pruning: PruningRound,
        target: Target,
        log: TrainingLog,
    ) -> Callable[[Training], Sequence[keras.callbacks.Callback]]:
        """Returns a factory of the callback that masks channels and logs each update."""
        setup = self.setup

        def callbacks(training: Training) -> list[keras.callbacks.Callback]:
            steps = setup.plan.epochs * setup.epoch_steps(training)
            schedule = step_ratios(pruning.schedule, target.ratio, pruning.updates, steps)
            measure = self._measure(network, pruning.importance, training)
            validate = training.validate(setup.plan.batch_size)

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
        order = np.random.default_rng(self.setup.plan.seed).permutation(len(training.waveforms))
        features_of, batches = front_end(self.setup.plan.front_end), []
        for start in range(0, min(_TAYLOR_CLIPS, len(order)), _TAYLOR_BATCH):
            positions = order[start : start + _TAYLOR_BATCH]
            features = features_of(training.waveforms.gather(positions))
            batches.append((features, training.targets[positions]))
        return lambda: importance.taylor_importance(network, batches, self.setup.loss())

    def _prune_magnitude(self, network: keras.Model, pruning: MagnitudeRound) -> None:
        """Prunes by magnitude, without a checkpoint: an interrupted stage starts over."""
        from dcase_system.pruning import magnitude  # imports tf_keras, which takes seconds

        if team().devices > 1:
            raise InputError("magnitude pruning trains on one device", where="distribution")
        setup, plan = self.setup, self.setup.plan
        training = setup.prepared(network)
        steps_per_epoch = setup.epoch_steps(training)
        steps = pruning.epochs * steps_per_epoch
        validate = training.validate(plan.batch_size)

        with setup.metrics_log() as log:
            magnitude.prune_magnitude(
                network,
                setup.feature_batches(training, setup.teachers()),
                step_ratios(pruning.schedule, pruning.sparsity, pruning.updates, steps),
                loss=setup.loss(),
                epochs=pruning.epochs,
                steps_per_epoch=steps_per_epoch,
                learning_rate=plan.learning_rate,
                warmup=warmup_steps(steps),
                weight_decay=plan.weight_decay,
                two_of_four=pruning.pattern == "2:4",
                on_epoch=partial(log_epoch, log, validate),
            )
