"""Runs the training stages of a student.

wide -> pruned1 -> (tuned1 -> pruned2 ->) student; each stage holds a network and its spec.
"""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from dcase_system.audio.clips import Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.student.plan import Step, StudentPlan, initial_spec, steps
from dcase_system.challenge.student.setup import StageSetup
from dcase_system.challenge.student.stage import StudentStage
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.models import registry
from dcase_system.models.stored import SPEC
from dcase_system.models.widths import check_prunable
from dcase_system.pruning.rounds import PruningRound, Target
from dcase_system.runs import stages
from dcase_system.training import seeds


def train_student(
    run_dir: Path,
    plan: StudentPlan,
    data: Data,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
) -> str:
    """Runs the stages up to `run_dir / STUDENT`.

    Args:
        run_dir: Run directory.
        plan: Hyper-parameters.
        data: Clips.
        ensemble: Teachers to learn from in every stage, or None to learn from the labels alone.
        impulse_responses: Responses for device augmentation, if the plan uses it.

    Returns:
        The key of the last stage.

    Raises:
        InputError: The front end does not fit the network, training diverges, or no pruning meets
            a round's target.
    """
    samples = data.train.audio.shape[0]
    spec = initial_spec(plan.architecture, plan.front_end, len(data.scenes), samples)
    for pruning in plan.rounds:
        if isinstance(pruning, PruningRound):
            # Rejects an impossible target now rather than after the first training.
            check_prunable(spec)
            if pruning.ratio is None:
                Target(pruning, registry.build_fixed(spec))
    key, previous = "", None
    all_steps = steps(plan)
    for index, step in enumerate(all_steps):
        # The first stage uses the run's seed itself, to keep dense students reproducible.
        seed = seeds.derive(plan.seed, "stage", index) if index else plan.seed
        key = train_step(
            run_dir,
            step,
            replace(plan, epochs=step.epochs, seed=seed, rounds=()),
            spec,
            data,
            ensemble,
            impulse_responses,
            previous=previous,
            later_epochs=sum(later.epochs for later in all_steps[index + 1 :]),
        )
        previous = run_dir / step.name
        spec = registry.read_spec(previous / SPEC)
    return key


def train_step(
    run_dir: Path,
    step: Step,
    plan: StudentPlan,
    spec: Any,
    data: Data,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
    *,
    previous: Path | None = None,
    later_epochs: int = 0,
) -> str:
    """Runs one stage, in the folder of its name.

    Args:
        run_dir: Run directory.
        step: Name, epochs and pruning round of the stage.
        plan: Hyper-parameters, with the epochs and the seed of this stage and no rounds.
        spec: Spec of the network before the stage.
        data: Clips.
        ensemble: Teachers, or None.
        impulse_responses: Responses for device augmentation, if the plan uses it.
        previous: Folder of the stage whose network is trained further; None for random weights.
        later_epochs: Epochs of the stages after this one, for the time left.

    Returns:
        The key of the stage.

    Raises:
        InputError: Training diverges.
    """
    inputs = {
        "plan": asdict(plan),
        "spec": registry.spec_to_json(spec),
        "round": step.round and asdict(step.round),
        "previous": previous and stages.read_stage(previous)["key"],
        "clips": data.train.key,
        "teachers": ensemble and ensemble.key,
        "impulse_responses": impulse_responses and impulse_responses.key,
    }
    setup = StageSetup(run_dir, step, plan, data, ensemble, impulse_responses)
    stage = StudentStage(setup, later_epochs)
    return stages.run_training(
        run_dir / step.name, inputs, partial(stage, spec=spec, previous=previous)
    )
