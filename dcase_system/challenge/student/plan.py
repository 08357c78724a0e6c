"""Hyper-parameters of a student, and the training stages that follow from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dcase_system.audio.clips import Data
from dcase_system.audio.specs import KaldiMelSpec, LogMelSpec
from dcase_system.core.errors import InputError
from dcase_system.distillation.consistent import Teaching
from dcase_system.distillation.ensemble import Average
from dcase_system.models import registry
from dcase_system.models.features import CNN_GRU, front_end_of
from dcase_system.models.signature import Activation, ModelSignature
from dcase_system.pruning.rounds import MagnitudeRound, Round
from dcase_system.training.batches import epoch_steps
from dcase_system.training.plan import TrainingPlan

StudentFrontEnd = LogMelSpec | KaldiMelSpec
PUBLISHED = LogMelSpec()
"""Front end of the report and of the 2024 baseline."""
FRONT_ENDS: Mapping[str, StudentFrontEnd] = {"short_window": PUBLISHED, "long_window": CNN_GRU}
"""Front ends by name that replace the one an architecture was published with."""
SUBMITTED_PRECISION = "float16"
STUDENT = "student"  # the last stage
QAT = "aware"  # after it: quantization-aware training of its int8 variant


@dataclass(frozen=True)
class Step:
    """A training stage of `epochs`, with pruning if it has a round."""

    name: str
    epochs: int
    round: Round | None = None

    def log(self, name: str) -> str:
        """Returns the file name of a log of this stage; the last stage's has no prefix."""
        return name if self.name == STUDENT else f"{self.name}.{name}"


@dataclass(frozen=True, kw_only=True)
class StudentPlan(TrainingPlan):
    """Hyper-parameters of a student; `epochs` are those at the width of `architecture`.

    Attributes:
        architecture: Name in the registry.
        front_end: Front end; it decides the frames of a clip, and with them the MACs.
        rounds: Rounds of pruning; none for a student trained at its final width.
        label_weight: Lambda of the distillation loss, used with teachers.
        temperature: Temperature of the distillation loss, used with teachers.
        teaching: What the teachers answer: the clean clip, stored, or the augmented waveform.
        average: What is averaged over the teachers.
        label_smoothing: Share of the labels that is spread evenly over the classes; 0 as published.
            The teachers' part of the loss has none.
        ema_decay: Share of the old value that a moving average of the weights keeps in each step;
            each stage ends with the average. 0 for the last weights, as published.
    """

    architecture: str
    front_end: StudentFrontEnd = PUBLISHED
    rounds: tuple[Round, ...] = ()
    label_weight: float = 0.02
    temperature: float = 2.0
    teaching: Teaching = "stored"
    average: Average = "logits"
    label_smoothing: float = 0.0
    ema_decay: float = 0.0

    def __post_init__(self):
        if self.ema_decay and any(isinstance(one, MagnitudeRound) for one in self.rounds):
            raise InputError(
                "weights that magnitude pruning sets to zero have no average",
                where="--ema_decay",
                expected="0, or a system that removes channels",
                received=self.ema_decay,
            )


def named_front_end(name: str, architecture: str) -> StudentFrontEnd:
    """Returns a front end by name.

    Args:
        name: Key of `FRONT_ENDS`, or `published` for the architecture's own.
        architecture: Name in the registry, of an architecture that students may have.
    """
    if name != "published":
        return FRONT_ENDS[name]
    own = front_end_of(registry.named_spec(architecture))
    assert isinstance(own, StudentFrontEnd)
    return own


def initial_spec(architecture: str, front_end: StudentFrontEnd, classes: int, samples: int) -> Any:
    """Returns the spec of a student before any pruning.

    Args:
        architecture: Name in the registry.
        front_end: Front end of the student.
        classes: Number of classes.
        samples: Number of samples in a clip.

    Raises:
        InputError: The network takes another number of mel bands than the front end returns.
    """
    spec = registry.named_spec(architecture)
    if spec.input_shape[0] != front_end.n_mels:
        raise InputError(
            "front end does not fit the network",
            where=architecture,
            expected=f"{spec.input_shape[0]} mel bands, as --front_end=published has",
            received=front_end.n_mels,
        )
    return registry.for_clips(spec, classes, front_end.frames(samples))


def signature_of(plan: StudentPlan, data: Data) -> ModelSignature:
    """Returns the signature (labels, front end, clip length) of a student of these clips."""
    activation: Activation = "sigmoid" if data.several_labels else "softmax"
    samples = data.train.audio.shape[0]
    return ModelSignature(data.scenes, plan.front_end, samples, activation=activation)


@dataclass(frozen=True, kw_only=True)
class QATPlan:
    """Quantization-aware training of a finished student; all else is as in the student's plan.

    Attributes:
        epochs: Passes over the training list.
        learning_rate: Peak learning rate, small because weights need to move by about one
            quantization step.
    """

    epochs: int
    learning_rate: float = 5e-5


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """Fine-tuning of a finished student for each device; all else is as in the student's plan.

    Freq-MixStyle and impulse responses imitate other devices, so both are off.

    Attributes:
        epochs: Passes over the training clips of the device.
        learning_rate: Peak learning rate: small, because the student has already learned the task.
        min_clips: Fewest training clips of a device for which a network is fine-tuned; the smallest
            split of the challenge has 380 clips a device.
    """

    epochs: int = 10
    learning_rate: float = 5e-4
    min_clips: int = 256


def steps(plan: StudentPlan) -> list[Step]:
    """Returns the stages of a plan, in order; the last one is the student."""
    found = [Step("wide", plan.epochs), *_steps_of_rounds(plan)]
    return [*found[:-1], replace(found[-1], name=STUDENT)]


def plan_in_words(plan: StudentPlan, training_clips: int) -> str:
    """Describes the stages of a plan in one line, to be shown before they start.

    Args:
        plan: Hyper-parameters.
        training_clips: Number of clips that are trained on.
    """
    an_epoch, of_plan = epoch_steps(training_clips, plan.batch_size), steps(plan)
    stages = " -> ".join(f"{step.name} {step.epochs}" for step in of_plan)
    total = an_epoch * sum(step.epochs for step in of_plan)
    return (
        f"epochs: {stages}; {training_clips:,} training clips in batches of {plan.batch_size}: "
        f"{an_epoch:,} steps per epoch, {total:,} in all"
    )


def _steps_of_rounds(plan: StudentPlan) -> Iterator[Step]:
    for index, pruning in enumerate(plan.rounds, 1):
        yield Step(f"pruned{index}", pruning.epochs, pruning)
        if pruning.tuning_epochs:
            held = pruning.tuning if isinstance(pruning, MagnitudeRound) else None
            yield Step(f"tuned{index}", pruning.tuning_epochs, held)
