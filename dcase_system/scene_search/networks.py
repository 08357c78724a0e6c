"""Table 4 of the paper: trains networks of any kind by the search's final plan and scores them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from dcase_system import runs
from dcase_system.audio.specs import ScalogramSpec
from dcase_system.core.errors import InputError
from dcase_system.core.files import read_json, write_json
from dcase_system.edge.variants import REFERENCE, keras_variant
from dcase_system.models import registry
from dcase_system.runs import stages
from dcase_system.scene_search.clips import SceneData
from dcase_system.scene_search.scratch import (
    PRECISION,
    SCORED,
    SCORES,
    SUBMITTED_FORM,
    layers_of,
    score_variants,
    submitted_network,
    table4_rows,
    train_from_scratch,
)
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from dcase_system.training import seeds

TABLE4 = (
    "alexnet_modified",
    "mobilenet_v1",
    "mobilenet_v2",
    "shufflenet_v2",
    "scene_a",
    "scene_a_table3",
    "scene_b",
    "scene_b_table3",
)
"""The networks of Table 4, in its order; models A and B as trained and as printed."""
_OF_INPUTS = ("classes", "input_shape", "input_channels")  # fields of a spec


@dataclass(frozen=True, kw_only=True)
class NetworksPlan:
    """Networks to train, and their training plan.

    Attributes:
        networks: Specs by name.
        final: Training plan of every network.
        seed: Random seed of the whole run.
    """

    networks: Mapping[str, Any]
    final: ScenePlan = FINAL_PLAN
    seed: int = 0


def settings_of(
    plan: NetworksPlan, front_end: ScalogramSpec, clips: Mapping[str, Any]
) -> dict[str, Any]:
    """Collects everything that decides the results of a run, for `runs.check`.

    Args:
        plan: Networks and their training plan.
        front_end: Front end of the features.
        clips: Record of the clips, or of their lists.
    """
    return {
        "kind": "scene_networks",
        "networks": {name: registry.spec_to_json(spec) for name, spec in plan.networks.items()},
        "final": asdict(plan.final),
        "front_end": asdict(front_end),
        "seed": plan.seed,
        **clips,
    }


def run_networks(
    run_dir: Path, plan: NetworksPlan, data: SceneData, *, overwrite: bool = False
) -> dict[str, Any]:
    """Trains and scores the networks, resuming a run; writes `results.json` and `report.html`.

    Args:
        run_dir: Run directory; each network gets a subfolder.
        plan: Networks and their training plan.
        data: Clips; the networks take their classes and the shape of their segments.
        overwrite: Whether to remove an existing run from the directory first.

    Returns:
        The content of `results.json`.

    Raises:
        InputError: The directory holds something else or another process runs in it, see
            `runs.begun`; a network does not take scalograms, or not of this size; or a training
            diverges.
    """
    # Imports matplotlib and jinja, which other users of this module do not need.
    from dcase_system.reporting.report import write_report

    specs = {name: fitted(spec, data, name) for name, spec in plan.networks.items()}
    for spec in specs.values():
        registry.build(spec)  # rejects an impossible network before others train for hours
    settings = settings_of(plan, data.front_end, data.record)
    with runs.begun(run_dir, settings, overwrite=overwrite):
        final = replace(plan.final, seed=seeds.derive(plan.seed, "final training"))
        networks = [_network(run_dir, name, spec, final, data) for name, spec in specs.items()]
        results = {
            "corpus": data.corpus,
            "classes": list(data.classes),
            "networks": networks,
            "table4": [
                row
                for one in networks
                for row in table4_rows(
                    one["name"], specs[one["name"]], one["complexity"], one["scores"]
                )
            ],
        }
        write_json(run_dir / "results.json", results)
        write_report(run_dir)
    return results


def fitted(spec: Any, data: SceneData, where: str) -> Any:
    """Returns the spec with the classes and the input shape of these clips.

    Raises:
        InputError: The network takes another kind of input.
    """
    if not set(_OF_INPUTS) <= {field.name for field in fields(spec)}:
        raise InputError(
            "network does not take scalograms",
            where=where,
            expected=f"a spec with {', '.join(_OF_INPUTS)}, such as that of scene_b",
            received=type(spec).__name__,
        )
    bands, frames, channels = data.train.features.values.shape[2:]
    return replace(
        spec, classes=len(data.classes), input_shape=(bands, frames), input_channels=channels
    )


def _network(
    run_dir: Path, name: str, spec: Any, plan: ScenePlan, data: SceneData
) -> dict[str, Any]:
    folder = run_dir / name
    trained = train_from_scratch(folder, spec, plan, data)
    submitted, complexity = submitted_network(folder, trained.network)
    stages.run_stage(
        folder / "dev_test",
        {"network": trained.key, "clips": data.test.key, "measures": SCORED},
        lambda target: score_variants(
            target,
            {
                REFERENCE: keras_variant(trained.network),
                SUBMITTED_FORM: keras_variant(submitted, PRECISION),
            },
            data,
        ),
    )
    return {
        "name": name,
        "layers": layers_of(spec),
        "complexity": complexity,
        "scores": read_json(folder / "dev_test" / SCORES),
    }
