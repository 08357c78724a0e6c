"""Trains the supernet of students: in each step, several of them learn from one augmented batch."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras

from dcase_system.challenge.student.plan import signature_of
from dcase_system.challenge.student.setup import StageSetup
from dcase_system.core.errors import InputError
from dcase_system.distillation.consistent import Teachers, with_answers
from dcase_system.models import registry
from dcase_system.models.signature import save_signature
from dcase_system.models.stored import SPEC, load_network, save_network
from dcase_system.pruning.importance import l2_importance
from dcase_system.pruning.order import order_channels
from dcase_system.runs import stages
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.mobile_space import MobileSpace
from dcase_system.supernet.plans import SamplingPlan
from dcase_system.supernet.sampling import WidthSampler
from dcase_system.supernet.step import ElasticTraining
from dcase_system.training import seeds
from dcase_system.training.augmented import heard_by
from dcase_system.training.fit import fit
from dcase_system.training.mixup import Mixup


class ElasticStudent(ElasticTraining):
    """Maps waveforms to logits of the largest student; a training step uses K of them.

    All K see the same augmented batch, and learn from the same teachers.

    Args:
        supernet: Supernet, whose network is that of the model.
        model: Model from `augmented_model`.
        plan: The sub-networks of a step.
        sampler: Sampler of sub-networks.
        teachers: Teachers that answer the augmented waveforms, or None.
        mixup: Mixes waveforms and targets, or None.
    """

    def __init__(
        self,
        supernet: ElasticNetwork,
        model: keras.Model,
        plan: SamplingPlan,
        sampler: WidthSampler,
        teachers: Teachers | None = None,
        mixup: Mixup | None = None,
    ):
        super().__init__(supernet, plan, sampler)
        self.student = model
        self.augmentation = keras.Model(model.input, [heard_by(model), model.layers[-2].output])
        self.teachers, self.mixup = teachers, mixup

    def build(self, input_shape):
        self.built = True  # the student already is

    def call(self, waveforms, training=False):
        return self.student(waveforms, training=training)

    def prepared(self, waveforms, targets):
        if self.mixup is not None:
            waveforms, targets = self.mixup(waveforms, targets)
        heard, features = self.augmentation(waveforms, training=True)
        if self.teachers is not None:
            targets = with_answers(targets, self.teachers(heard))
        return features, targets


def train_supernet(
    setup: StageSetup, space: MobileSpace, sampling: SamplingPlan, wide: Path, *, ordered: bool
) -> str:
    """Trains a supernet from a wide network, and stores the largest sub-network.

    Args:
        setup: Clips, plan, teachers and logs of the stage.
        space: Sub-networks; its base is the wide network's spec.
        sampling: The sub-networks of a step.
        wide: Folder of the wide network's stage.
        ordered: Whether to sort its channels by importance first.

    Returns:
        The key of the stage.

    Raises:
        InputError: Training diverges, or the plan averages weights.
    """
    plan, data = setup.plan, setup.data
    if plan.ema_decay:
        raise InputError(
            "weights of a supernet are not averaged",
            where="three ways",
            expected="ema_decay 0",
            received=plan.ema_decay,
        )
    inputs: Mapping[str, Any] = {
        "plan": asdict(plan),
        "space": space.key,
        "sampling": asdict(sampling),
        "ordered": ordered,
        "previous": stages.read_stage(wide)["key"],
        "clips": data.train.key,
        "teachers": setup.ensemble and setup.ensemble.key,
        "impulse_responses": setup.impulse_responses and setup.impulse_responses.key,
    }

    def work(folder: Path, checkpoint: Path) -> None:
        seeds.set_seed(plan.seed)
        network = load_network(wide)
        if ordered:
            order_channels(network, l2_importance(network))
        training = setup.prepared(network)
        sampler = WidthSampler(space.choices, seeds.derive(plan.seed, "widths"))
        model = ElasticStudent(
            ElasticNetwork(space.base, network),
            training.model,
            sampling,
            sampler,
            setup.teachers(),
            setup.mixup(),
        )
        # The moving statistics fit no sub-network, so scores of held-out clips would say nothing.
        fit(
            replace(training, model=model, validation=None),
            plan,
            loss=setup.loss(),
            checkpoint=checkpoint,
            metrics_log=setup.metrics_log(),
            name=f"split{data.split} supernet",
        )
        save_network(folder, network, space.base)
        save_signature(folder, signature_of(plan, data))

    return stages.run_training(setup.run_dir / setup.step.name, inputs, work)


def load_supernet(folder: Path) -> ElasticNetwork:
    """Loads a supernet that `train_supernet` has stored."""
    return ElasticNetwork(registry.read_spec(folder / SPEC), load_network(folder))
