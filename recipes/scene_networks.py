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

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, scenes

DEMO = scenes.DEMO | {"epochs": 2}

flags.DEFINE_list(
    "networks",
    None,
    "NAME: What is trained: names of architectures, or .json files of specs. [those of Table 4]",
)
flags.DEFINE_integer("epochs", 60, "EPOCHS: Passes over the training segments for each network.", 1)
flags.adopt_module_key_flags(scenes)


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _scene_networks

    _scene_networks.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
