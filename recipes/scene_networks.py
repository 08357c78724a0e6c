"""Table 4 of the scene search (Wu & Lee): its networks, all trained by the search's final plan.

    python -m recipes.scene_networks                        # stereo demo corpus
    python -m recipes.scene_networks --data_dir=DEVELOPMENT # Task 1B
    python -m recipes.scene_networks --data_dir=SCENES --corpus=scenes \\
        --seconds=1 --segment_frames=100 --networks=scene_b,mobilenet_v2

Trains each network from scratch on the whole training list, scores it on the dev-test clips, and
writes its size and accuracy beside the published ones; for models A and B also the float16 results
and the layers, as in Table 3. The default networks are alexnet_modified, mobilenet_v1,
mobilenet_v2, shufflenet_v2, and models A and B both as their authors trained them (scene_a,
scene_b) and as the paper prints them (scene_a_table3, scene_b_table3). The paper does not say how
it modified AlexNet: alexnet_modified is our design of the published size. To train a network that
`recipes.scene_search` found, name its spec file, RUN/final_random_b/network/spec.json.
`dcase_system.edge.export` converts RUN/NETWORK/network for devices. Not tested at the published
scale.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, scenes

DEMO = scenes.DEMO | {"epochs": 2}

flags.DEFINE_list(
    "networks",
    None,
    "NAME: Networks to train: names of architectures, or .json spec files. [those of Table 4]",
)
flags.DEFINE_integer("epochs", 60, "EPOCHS: Epochs of training for each network.", 1)
flags.adopt_module_key_flags(scenes)


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _scene_networks

    _scene_networks.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
