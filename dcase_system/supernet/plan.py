"""Settings of a supernet experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dcase_system.audio.specs import FrontEndSpec, PannsMelSpec
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.search.driver import Method
from dcase_system.supernet.plans import SupernetPlan
from dcase_system.supernet.search import PAPER_DRAWS
from dcase_system.supernet.search_space import DEPTH_PATTERNS, WidthPer

_TEACHER = SupernetPlan(steps=400_000, mixup=True)
_SUPERNET = SupernetPlan(steps=300_000, largest_steps=100_000)
_ALONE = SupernetPlan(steps=100_000)


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """Settings of an experiment; defaults are the paper's (Lin et al., section 3.3) where given.

    Attributes:
        corpus: Description of the clips, for the tables.
        base: Architecture of the teacher and of the largest sub-network.
        front_end: Front end of all networks.
        teacher: Training plan of the teacher: 400K steps, with mixup.
        supernet: Training plan of a supernet: 100K steps of the largest sub-network, then 200K of
            samples.
        alone: Training plan of networks trained alone: 100K steps.
        tuning_steps: Steps of fine-tuning, shorter and longer; the network from random weights
            trains for the longer one.
        patterns: Depth patterns of the search spaces; the tables use the first.
        width_per: Whether each block or each layer has its own width.
        budgets: Numbers of parameters to search sub-networks for; see `constraints_of`.
        tolerance: Tolerance of the budgets, in parameters; see `constraints_of`.
        num_trials: Number p of sub-networks scored in each search.
        nsga2: Whether to search with NSGA-II too, with as many sub-networks.
        ranked: Number of sub-networks to train alone as well, to compare their ranking with that by
            inherited weights.
        calibration_clips: Number of training clips for recalibration.
        formats: Formats of the `.tflite` files of each selected network.
        storage: Trial storage of the searches: `postgresql://user@host/database`, or a journal
            file; None for one in the run directory.
        seed: Random seed of the whole run.
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
    num_trials: int = PAPER_DRAWS
    nsga2: bool = False
    ranked: int = 0
    calibration_clips: int = 2_000
    formats: Sequence[str] = ("float16", "int8")
    storage: str | Path | None = None
    seed: int = 0

    @property
    def methods(self) -> tuple[Method, ...]:
        """Search methods to run."""
        return ("random", "nsga2") if self.nsga2 else ("random",)


def settings_of(plan: ExperimentPlan, clips: Mapping[str, Any]) -> dict[str, Any]:
    """Collects everything that decides the results of a run, for `runs.check`.

    Args:
        plan: Settings of the experiment.
        clips: Record of the clips, or of their lists.
    """
    settings = asdict(plan) | {"base": registry.spec_to_json(plan.base)}
    for of_clips in ("classes", "input_shape"):
        del settings["base"][of_clips]
    storage = plan.storage and str(plan.storage)
    return {"kind": "supernet", **settings, "storage": storage, **clips}
