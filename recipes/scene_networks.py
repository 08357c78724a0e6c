"""Table 4 of the scene search (Wu & Lee): networks trained by the plan of its chosen ones.

    python -m recipes.scene_networks                        # stereo demo corpus
    python -m recipes.scene_networks --data_dir=DEVELOPMENT # Task 1B
    python -m recipes.scene_networks --data_dir=SCENES --corpus=scenes \\
        --seconds=1 --segment_frames=100 --networks=scene_b,mobilenet_v2

Trains each network from scratch on the whole training list, scores it on the dev-test clips, and
writes its size and accuracy beside the published ones; models A and B also at float16, and their
layers as in Table 3. Without `--networks` these are alexnet_modified, mobilenet_v1, mobilenet_v2,
shufflenet_v2, and models A and B as their authors trained them (scene_a, scene_b) and as the paper
prints them (scene_a_table3, scene_b_table3). What the paper has modified in AlexNet is not
published: alexnet_modified is a design of its size. A network that `recipes.scene_search` has
found is named by the file of its spec, RUN/final_random_b/network/spec.json.
`dcase_system.edge.export` makes files for devices of RUN/NETWORK/network. The published scale was
not tried.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import cli, runs
from dcase_system.files import fingerprint
from dcase_system.help import Flags
from dcase_system.models import registry
from dcase_system.reporting.scene_networks import networks_summary
from dcase_system.scene_search.networks import TABLE4, NetworksPlan, run_networks, settings_of
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from recipes import _common, _flags, _scene_clips

_NETWORKS = flags.DEFINE_list(
    "networks",
    None,
    "NAME: What is trained: names of architectures, or .json files of specs. [those of Table 4]",
)
PUBLISHED: dict[str, Any] = {
    "epochs": FINAL_PLAN.epochs,
    "calibration": FINAL_PLAN.calibration_segments,
    "batch_size": FINAL_PLAN.batch_size,
    "learning_rate": FINAL_PLAN.learning_rate,
}
# A few steps leave no moving statistics of batch norm.
DEMO = PUBLISHED | {
    "epochs": 2,
    "calibration": ScenePlan.calibration_segments,
    "batch_size": 16,
}


def main(argv: Sequence[str]) -> None:
    networks = specs(_NETWORKS.value or TABLE4)
    values = PUBLISHED if _flags.DATA_DIR.value is not None else DEMO
    values = values | _common.given_settings()
    final = replace(
        FINAL_PLAN,
        epochs=values["epochs"],
        calibration_segments=values["calibration"],
        **_scene_clips.training(values),
    )
    plan = NetworksPlan(networks=networks, final=final, seed=_flags.SEED.value)
    lists, name, seconds = _scene_clips.listed()
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/scene_networks-seed{plan.seed}")
    front_end, overwrite = _scene_clips.front_end(), _flags.OVERWRITE.value
    runs.check(run_dir, settings_of(plan, front_end, lists.record), overwrite=overwrite)
    run_networks(run_dir, plan, _scene_clips.load(lists, name, seconds), overwrite=overwrite)
    print(networks_summary(run_dir))
    print(f"\nrun directory: {run_dir}")


def specs(names: Sequence[str]) -> dict[str, Any]:
    """The networks by name; one that is given as a file by the digest of its spec."""
    found = {}
    for name in names:
        if name.endswith(".json"):
            spec = registry.read_spec(name)
            name = f"spec-{fingerprint(registry.spec_to_json(spec))[:8]}"
        else:
            spec = registry.named_spec(name)
        found[name] = spec
    return found


if __name__ == "__main__":
    cli.run(
        main,
        Flags(
            groups=_flags.groups_with(_scene_clips.GROUPS),
            refused=(
                *_flags.OF_PACKAGES,
                _flags.ACCUMULATION,
                _flags.VALIDATION_FRACTION,
                _flags.DISTRIBUTION,
                *_flags.OF_CLASSIFIERS,
            ),
            defaults=_scene_clips.defaults(PUBLISHED, DEMO),
            texts=_scene_clips.TEXTS
            | {"epochs": "EPOCHS: Passes over the training segments for each network."},
        ),
    )
