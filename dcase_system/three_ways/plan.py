"""Settings of a comparison of the ways to a small network."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.student.plan import SUBMITTED_PRECISION, StudentPlan
from dcase_system.challenge.systems import Planned, PruningOptions, planned
from dcase_system.complexity.rules import MAX_BYTES_2024
from dcase_system.core.errors import InputError
from dcase_system.distillation.alpha_divergence import AlphaDivergence
from dcase_system.distillation.consistent import check_networks
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.supernet.budgets import Budget, Budgets
from dcase_system.supernet.plans import SamplingPlan
from dcase_system.training.batches import epoch_steps

BUDGETS = (5_000_000, 10_000_000, 20_000_000, 30_000_000)
LEAST_SHARE = 0.8  # of a budget's MACs that a searched network has, so that budgets differ
_SAMPLING = SamplingPlan(sampling="sandwich", in_place=True, divergence=AlphaDivergence())


@dataclass(frozen=True, kw_only=True)
class ThreeWaysPlan:
    """Settings of a comparison.

    Attributes:
        student: Hyper-parameters of all trainings, with the total epochs of a pruned network and of
            one trained alone. Its validation fraction holds out the clips of all choices.
        base_channels: Width of the SSCP-Mobile that is pruned, and of the supernet.
        budgets: Largest MACs of the networks.
        max_bytes: Largest size of all networks' parameters at float16.
        ratios: Width ratios of the supernet, see `MobileSpace`.
        spread: See `MobileSpace`.
        elastic_depth: See `MobileSpace`.
        sampling: Sub-networks of a training step of the supernet.
        sorted_channels: Whether the supernet starts from the wide network with its channels sorted
            by importance, or in their own order.
        supernet_epochs: Epochs of the supernet, after those of the wide network.
        tuning_epochs: Epochs of fine-tuning of a sub-network.
        num_trials: Sub-networks scored for each budget.
        candidates: Random depthwise CNNs trained for each budget; 0 leaves this way out.
        candidate_epochs: Epochs of each of them; the best is trained again for all epochs.
        calibration_clips: Training clips for the batch-norm statistics of a sub-network.
        ranked: Sub-networks of all sizes that are trained alone as well, to compare their ranking
            with that by inherited weights.
        formats: Formats of the `.tflite` files of the tuned sub-networks.
        seeds: Seeds of the repetitions.
    """

    student: StudentPlan
    base_channels: int = 64
    budgets: tuple[int, ...] = BUDGETS
    max_bytes: int = MAX_BYTES_2024
    ratios: tuple[float, ...] = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0)
    spread: int | None = 1
    elastic_depth: bool = True
    sampling: SamplingPlan = _SAMPLING
    sorted_channels: bool = True
    supernet_epochs: int
    tuning_epochs: int
    num_trials: int = 25
    candidates: int = 4
    candidate_epochs: int = 1
    calibration_clips: int = 512
    ranked: int = 0
    formats: tuple[str, ...] = ("float16",)
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self):
        if not self.student.validation_fraction > 0:
            raise _wrong("validation fraction", "above 0, for the choices", 0)
        for name, least in (("budgets", 1), ("seeds", 0)):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values) or min(values) < least:
                raise _wrong(name, f"different numbers from {least} on", values)

    def pruned(self, macs: int) -> Planned:
        """Returns the trainings of the network that is pruned to a budget."""
        options = PruningOptions(
            base_channels=self.base_channels, max_macs=macs, max_bytes=self.max_bytes
        )
        return planned("S1", self.student.epochs, options, demo=False)

    def limits(self, macs: int, least: float = 0.0) -> Budgets:
        """Returns the limits of a network: MACs, and bytes at the submitted precision.

        Args:
            macs: Largest MACs.
            least: Share of them that it has at least.
        """
        size = Budget("bytes", self.max_bytes, precision=SUBMITTED_PRECISION)
        return Budgets((Budget("macs", macs, least * macs), size))


def plan_in_words(plan: ThreeWaysPlan, training_clips: int) -> str:
    """Describes all trainings of a plan in one line, to be shown before they start.

    Args:
        plan: Settings.
        training_clips: Number of clips that are trained on.
    """
    alone, pruned = plan.student.epochs, plan.pruned(max(plan.budgets))
    (pruning,) = pruned.rounds
    shared = {"wide": pruned.epochs, "supernet": plan.supernet_epochs}
    each = {
        "alone": alone,
        "pruned": pruning.epochs,
        "pruned and tuned": pruning.tuning_epochs,
        "tuned sub-network": plan.tuning_epochs,
    }
    if plan.candidates:
        each |= {"random": plan.candidates * plan.candidate_epochs, "best of them": alone}
    total = sum(shared.values()) + len(plan.budgets) * sum(each.values())
    ranked = plan.ranked * alone if plan.ranked > 1 else 0  # for the first seed alone
    total = len(plan.seeds) * total + ranked
    an_epoch = epoch_steps(training_clips, plan.student.batch_size)
    of_each, of_shared = (
        ", ".join(f"{name} {epochs}" for name, epochs in part.items()) for part in (each, shared)
    )
    return (
        f"epochs: {of_shared}; for each of {len(plan.budgets)} budgets {of_each}; "
        + (f"ranked networks {ranked}; " if ranked else "")
        + f"{len(plan.seeds)} seeds; {training_clips:,} training clips: {an_epoch:,} steps per "
        f"epoch, {an_epoch * total:,} in all, those of the supernet with "
        f"{plan.sampling.samples} sub-networks"
    )


def budget_name(macs: int) -> str:
    """Name of a budget for folders and files, such as `5M`."""
    return f"{macs / 1e6:g}M"


def settings_of(
    plan: ThreeWaysPlan,
    split: int,
    clips: Mapping[str, Any],
    ensemble: Ensemble | None,
    impulse_responses: ImpulseResponses | None,
) -> dict[str, Any]:
    """Collects everything that decides the results of a run, for `runs.check`.

    Args:
        plan: Settings.
        split: Training list, in percent.
        clips: Record of the clips, or of their lists.
        ensemble: Teachers of all trainings, or None.
        impulse_responses: Responses for device augmentation, if the plan uses it.

    Raises:
        InputError: The teachers cannot teach as the plan says.
    """
    if ensemble and plan.student.teaching == "consistent":
        check_networks(ensemble)
    return {
        "kind": "three_ways",
        "split": split,
        "plan": asdict(replace(plan, student=replace(plan.student, seed=0))),
        "teachers": ensemble and {"key": ensemble.key, "members": ensemble.members},
        "impulse_responses": impulse_responses and impulse_responses.key,
        **clips,
    }


def _wrong(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="three ways", expected=expected, received=received
    )
