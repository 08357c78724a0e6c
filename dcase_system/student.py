"""How a student is trained: at its final width, or wide first and then pruned, round by round.

wide -> pruned1 -> (tuned1 -> pruned2 ->) student, each a stage with a network and its spec.
"""

import json
import math
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from dcase_system import stages
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.audio.log_mel import LogMelSpec
from dcase_system.data import Data
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.distillation.losses import DistillationLoss, PackedAccuracy, pack_targets
from dcase_system.errors import InputError
from dcase_system.files import write_text
from dcase_system.models import registry
from dcase_system.models.stored import SPEC, load_network, save_network
from dcase_system.models.widths import spec_of_network
from dcase_system.pruning import importance, schedules
from dcase_system.pruning.callback import PruneChannels
from dcase_system.pruning.masks import kept_by_masks, masked_model
from dcase_system.pruning.slim import slim
from dcase_system.training import seeds
from dcase_system.training.plan import (
    MakeCallbacks,
    TrainingPlan,
    Validate,
    held_out_rows,
    one_hot,
    train_classifier,
)

FRONT_END = LogMelSpec()
STUDENT = "student"  # the last stage
# The masks have their final ratio for the last quarter of a round, to train with what will stay.
_PRUNING_PART = 0.75

_SCHEDULES = {"agp": schedules.agp, "linear": schedules.linear}
_IMPORTANCE = {
    "l1": importance.l1_importance,
    "l2": importance.l2_importance,
    "fpgm": importance.fpgm_importance,
}


@dataclass(frozen=True, kw_only=True)
class PruningRound:
    """Channels are hidden more and more while the network trains, then removed; then it trains on.

    Attributes:
        ratio: share of each group's channels that goes.
        schedule: `agp` (automated gradual pruning) or `linear`.
        importance: `l1`, `l2` or `fpgm`: what goes first.
        updates: how often the masks are chosen anew.
        epochs: with masks.
        tuning_epochs: of the slim network.
    """

    ratio: float
    schedule: Literal["agp", "linear"] = "agp"
    importance: Literal["l1", "l2", "fpgm"] = "l2"
    updates: int = 10
    epochs: int
    tuning_epochs: int

    def __post_init__(self):
        if not 0.0 <= self.ratio < 1.0:
            raise InputError(
                "pruning ratio out of range",
                where="pruning round",
                expected="[0, 1)",
                received=self.ratio,
            )


@dataclass(frozen=True, kw_only=True)
class StudentPlan(TrainingPlan):
    """Hyper-parameters of a student; `epochs` are those at the width of `architecture`.

    Attributes:
        architecture: name in the registry.
        rounds: of pruning, none for a student that is trained at its final width.
        label_weight: lambda of the distillation loss, with teachers.
        temperature: of the distillation loss, with teachers.
    """

    architecture: str
    rounds: tuple[PruningRound, ...] = ()
    label_weight: float = 0.02
    temperature: float = 2.0


@dataclass(frozen=True)
class _Step:
    """One stage: a training of `epochs`, with masks in a round."""

    name: str
    epochs: int
    round: PruningRound | None = None


def train_student(
    run_dir: Path,
    plan: StudentPlan,
    data: Data,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
) -> str:
    """Runs the stages up to `run_dir / STUDENT`.

    Args:
        run_dir: of the run.
        plan: hyper-parameters.
        data: clips.
        ensemble: teachers to learn from in every stage, or None to learn from the labels alone.
        impulse_responses: for the device augmentation, if the plan has any.

    Returns:
        The key of the last stage.

    Raises:
        InputError: a training diverges, or a ratio empties a group.
    """
    spec = registry.with_classes(registry.named_spec(plan.architecture), len(data.scenes))
    key, previous = None, None
    for index, step in enumerate(_steps(plan)):
        # The first stage has the run's own seed, so that a dense student is what it always was.
        seed = seeds.derive(plan.seed, index) if index else plan.seed
        step_plan = replace(plan, epochs=step.epochs, seed=seed, rounds=())
        inputs = {
            "plan": asdict(step_plan),
            "spec": registry.spec_to_json(spec),
            "round": step.round and asdict(step.round),
            "previous": key,
            "clips": data.train.key,
            "teachers": ensemble and ensemble.key,
            "impulse_responses": impulse_responses and impulse_responses.key,
        }
        training = _Training(run_dir, step, step_plan, data, ensemble, impulse_responses)
        key = stages.run_training(
            run_dir / step.name,
            inputs,
            partial(training, spec=spec, previous=previous),
        )
        previous = run_dir / step.name
        spec = registry.read_spec(previous / SPEC)
    assert key is not None
    return key


def _steps(plan: StudentPlan) -> list[_Step]:
    """The stages of a plan, in order; the last one is the student."""
    steps = [_Step("wide", plan.epochs)]
    for index, pruning in enumerate(plan.rounds, 1):
        steps += [
            _Step(f"pruned{index}", pruning.epochs, pruning),
            _Step(f"tuned{index}", pruning.tuning_epochs),
        ]
    return [*steps[:-1], replace(steps[-1], name=STUDENT)]


@dataclass(frozen=True)
class _Training:
    """What a stage does: called with its folder, its checkpoint and what the last stage left."""

    run_dir: Path
    step: _Step
    plan: StudentPlan
    data: Data
    ensemble: Ensemble | None
    impulse_responses: ImpulseResponses | None

    def __call__(self, folder: Path, checkpoint: Path, spec: Any, previous: Path | None) -> None:
        seeds.set_seed(self.plan.seed)
        network = load_network(previous) if previous else registry.build(spec)
        if self.step.round is None:
            self._fit(network, checkpoint, lambda validate: ())
        else:
            masked = masked_model(network)
            self._fit(masked, checkpoint, self._pruning(network, masked, self.step.round))
            network = slim(network, kept_by_masks(masked))
            spec = spec_of_network(spec, network)
        save_network(folder, network, spec)

    def _fit(self, network: keras.Model, checkpoint: Path, callbacks: MakeCallbacks) -> None:
        targets, loss, accuracy = self._objective()
        train_classifier(
            network,
            FRONT_END,
            self.data.train,
            targets,
            self.plan,
            loss=loss,
            metrics=[accuracy],
            callbacks=callbacks,
            impulse_responses=self.impulse_responses,
            checkpoint=checkpoint,
            metrics_log=self._log("metrics.jsonl"),
            name=f"split{self.data.split} {self.plan.architecture} {self.step.name}",
        )

    def _objective(self) -> tuple[np.ndarray, keras.losses.Loss, keras.metrics.Metric]:
        """Targets, loss and accuracy, with and without teachers."""
        labels = one_hot(self.data.train.clips.labels, len(self.data.scenes))
        if self.ensemble is None:
            loss = keras.losses.CategoricalCrossentropy(from_logits=True)
            return labels, loss, keras.metrics.CategoricalAccuracy(name="accuracy")
        loss = DistillationLoss(self.plan.label_weight, self.plan.temperature)
        return pack_targets(labels, self.ensemble.logits), loss, PackedAccuracy()

    def _pruning(
        self, network: keras.Model, masked: keras.Model, pruning: PruningRound
    ) -> MakeCallbacks:
        """The callback that hides channels and logs each update."""
        kept = (
            len(self.data.train)
            - held_out_rows(self.data.train, self.plan.validation_fraction).sum()
        )
        steps = self.plan.epochs * math.ceil(kept / self.plan.batch_size)
        # However short the round, its last update is within it: the ratio has to be reached.
        updates = min(pruning.updates, max(1, int(_PRUNING_PART * steps)))
        interval = max(1, int(_PRUNING_PART * steps / updates))
        schedule = _SCHEDULES[pruning.schedule](pruning.ratio, updates=updates, interval=interval)
        log = self._log("pruning.jsonl")

        def callbacks(validate: Validate | None) -> list[keras.callbacks.Callback]:
            def on_update(step: int, ratio: float) -> None:
                row: dict[str, float] = {"step": step, "ratio": ratio}
                if validate is not None:
                    row["val_accuracy"], row["val_logloss"] = validate()
                _log_update(log, row)

            measure = _IMPORTANCE[pruning.importance]
            return [PruneChannels(masked, lambda: measure(network), schedule, on_update)]

        return callbacks

    def _log(self, name: str) -> Path:
        return self.run_dir / (name if self.step.name == STUDENT else f"{self.step.name}.{name}")


def _log_update(path: Path, row: dict[str, float]) -> None:
    """Appends a line; what an interrupted training had logged from this step on is dropped."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    earlier = [line for line in lines if json.loads(line)["step"] < row["step"]]
    write_text(path, "".join(f"{line}\n" for line in [*earlier, json.dumps(row)]))
