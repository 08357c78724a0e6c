"""What a supernet's run trains, searches and compares."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dcase_system.audio.front_ends import FrontEndSpec
from dcase_system.audio.panns_mel import PannsMelSpec
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.search import PAPER_DRAWS
from dcase_system.supernet.shared_search import Method
from dcase_system.supernet.space import DEPTH_PATTERNS, WidthPer
from dcase_system.supernet.step import SupernetPlan

_TEACHER = SupernetPlan(steps=400_000, mixup=True)
_SUPERNET = SupernetPlan(steps=300_000, largest_steps=100_000)
_ALONE = SupernetPlan(steps=100_000)


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """What is run; the defaults are the paper's (Lin et al., section 3.3) where it gives them.

    Attributes:
        corpus: what the clips are, for the tables.
        base: the teacher's architecture, and the largest sub-network.
        front_end: of all networks.
        teacher: its training: 400K steps, with mixup.
        supernet: its training: 100K steps of the largest sub-network, then 200K of samples.
        alone: training of the networks that the sub-networks are compared with: 100K steps.
        tuning_steps: of the tuned sub-networks, shorter and longer; the longer one is also that of
            the network from random weights.
        patterns: of depth; the first is what the tables are made with.
        width_per: whether blocks or layers have a width.
        budgets: parameters that sub-networks are searched for; see `constraints_of`.
        tolerance: of the budgets, in parameters; see `constraints_of`.
        draws: p, sub-networks scored a search.
        evolution: whether NSGA-II searches too, with as many sub-networks.
        ranked: sub-networks that are also trained alone, to see whether inherited weights rank them
            as their own do.
        calibration_clips: training clips for the statistics.
        formats: of the `.tflite` files that each chosen network leaves.
        storage: where the trials of the searches lie: `postgresql://user@host/database`, or a
            journal file; None for one in the run directory.
        seed: of everything random.
    """

    corpus: str
    base: CNN10Spec = field(default_factory=CNN10Spec)
    front_end: FrontEndSpec = field(default_factory=PannsMelSpec)
    teacher: SupernetPlan = _TEACHER
    supernet: SupernetPlan = _SUPERNET
    alone: SupernetPlan = _ALONE
    tuning_steps: tuple[int, int] = (10_000, 100_000)
    patterns: tuple[str, ...] = DEPTH_PATTERNS
    width_per: WidthPer = "block"
    budgets: tuple[float, ...] | None = None
    tolerance: float | None = None
    draws: int = PAPER_DRAWS
    evolution: bool = False
    ranked: int = 0
    calibration_clips: int = 2_000
    formats: Sequence[str] = ("float16", "int8")
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
