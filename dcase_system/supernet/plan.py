"""What a supernet's run trains, searches and compares."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from dcase_system.audio.front_ends import FrontEndSpec
from dcase_system.audio.panns_mel import PannsMelSpec
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.shared_search import Method
from dcase_system.supernet.step import SupernetPlan


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """What is run; the defaults are the paper's where it gives them.

    Attributes:
        base: the teacher's architecture, and the largest sub-network.
        front_end: of all networks.
        teacher: its training; mixup on.
        supernet: its training.
        alone: training of the networks that the sub-networks are compared with.
        tuning_epochs: of the tuned sub-networks, shorter and longer; the longer one is also that of
            the network from random weights.
        patterns: of depth; the first is what the tables are made with.
        width_per: whether layers or blocks have a width.
        budgets: share of the base's parameters.
        tolerance: of the budgets, as a share of the base's parameters (0.2 M of 5.2 M).
        draws: p, sub-networks scored a search.
        evolution: whether NSGA-II searches too, with as many sub-networks.
        ranked: sub-networks that are also trained alone, to see whether inherited weights rank them
            as their own do.
        calibration_clips: training clips for the statistics.
        storage: where the trials of the searches lie: `postgresql://user@host/database`, or a
            journal file; None for one in the run directory.
        seed: of everything random.
    """

    base: CNN10Spec
    front_end: FrontEndSpec = field(default_factory=PannsMelSpec)
    teacher: SupernetPlan
    supernet: SupernetPlan
    alone: SupernetPlan
    tuning_epochs: tuple[int, int]
    patterns: tuple[str, ...] = ("2,2,X",)
    width_per: Literal["block", "layer"] = "layer"
    budgets: tuple[float, ...] = (0.19, 0.40, 0.67)
    tolerance: float = 0.038
    draws: int = 25
    evolution: bool = True
    ranked: int = 0
    calibration_clips: int = 2_000
    storage: str | Path | None = None
    seed: int = 0

    @property
    def methods(self) -> tuple[Method, ...]:
        """Of search."""
        return ("random", "evolution") if self.evolution else ("random",)


def settings_of(plan: ExperimentPlan, clips: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the results of a run, for `runs.check`.

    Args:
        plan: what is run.
        clips: record of the clips, or of their lists.
    """
    settings = asdict(plan) | {"base": registry.spec_to_json(plan.base)}
    for of_clips in ("classes", "input_shape"):
        del settings["base"][of_clips]
    storage = plan.storage and str(plan.storage)
    return {"kind": "supernet", **settings, "storage": storage, **clips}
