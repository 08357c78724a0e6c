"""Runs the training stages of a student.

wide -> pruned1 -> (tuned1 -> pruned2 ->) student; each stage holds a network and its spec.
"""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from dcase_system.audio.clips import Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.student.plan import StudentPlan, steps
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
        InputError: Training diverges, or no pruning meets a round's target.
    """
    frames = plan.front_end.frames(data.train.audio.shape[0])
    spec = registry.for_clips(registry.named_spec(plan.architecture), len(data.scenes), frames)
    for pruning in plan.rounds:
        if isinstance(pruning, PruningRound):
            # Rejects an impossible target now rather than after the first training.
            check_prunable(spec)
            if pruning.ratio is None:
                Target(pruning, registry.build_fixed(spec))
    key, previous = None, None
    all_steps = steps(plan)
    for index, step in enumerate(all_steps):
        # The first stage uses the run's seed itself, to keep dense students reproducible.
        seed = seeds.derive(plan.seed, "stage", index) if index else plan.seed
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
        later_epochs = sum(later.epochs for later in all_steps[index + 1 :])
        setup = StageSetup(run_dir, step, step_plan, data, ensemble, impulse_responses)
        stage = StudentStage(setup, later_epochs)
        key = stages.run_training(
            run_dir / step.name, inputs, partial(stage, spec=spec, previous=previous)
        )
        previous = run_dir / step.name
        spec = registry.read_spec(previous / SPEC)
    assert key is not None
    return key
