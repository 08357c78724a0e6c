"""Implements `recipes.scene_networks`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import runs
from dcase_system.core.files import fingerprint
from dcase_system.models import registry
from dcase_system.reporting.scene_networks import networks_summary
from dcase_system.scene_search.networks import TABLE4, NetworksPlan, run_networks, settings_of
from recipes import _scene_clips

FLAGS = flags.FLAGS


def run() -> None:
    """Trains, scores and summarises the networks."""
    plan = NetworksPlan(
        networks=specs(FLAGS.networks or TABLE4),
        final=_scene_clips.final_plan(FLAGS.epochs),
        seed=FLAGS.seed,
    )
    lists, name = _scene_clips.listed()
    run_dir = Path(FLAGS.output_dir or f"runs/{name}/scene_networks-seed{plan.seed}")
    settings = settings_of(plan, _scene_clips.front_end(), lists.record)
    runs.check(run_dir, settings, overwrite=FLAGS.overwrite)
    run_networks(run_dir, plan, _scene_clips.load(lists, name), overwrite=FLAGS.overwrite)
    print(networks_summary(run_dir))
    print(f"\nrun directory: {run_dir}")


def specs(names: Sequence[str]) -> dict[str, Any]:
    """Returns the networks' specs by name; the name of a spec file is a digest of its content."""
    found = {}
    for name in names:
        if name.endswith(".json"):
            spec = registry.read_spec(name)
            name = f"spec-{fingerprint(registry.spec_to_json(spec))[:8]}"
        else:
            spec = registry.named_spec(name)
        found[name] = spec
    return found
