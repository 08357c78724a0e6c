"""Scene search (Wu & Lee, DCASE 2020 Task 1B): random search over depthwise CNNs under 500 KB.

    python -m recipes.scene_search                          # stereo demo corpus
    python -m recipes.scene_search --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION                         # Task 1B
    python -m recipes.scene_search --data_dir=SCENES --corpus=scenes \\
        --seconds=1 --segment_frames=100 --candidates=20    # mono clips

Trains each candidate for three epochs (`--epochs`), then trains two of them from scratch: model A
with the highest accuracy and model B with the lowest loss. Packages both as a submission to Task
1B, and reproduces Tables 3 and 4 and Figures 3 and 4 of the paper with the published values beside
ours. `--methods=random --methods=nsga2` also runs NSGA-II with as many candidates.

Candidates are selected on clips held out of the training list, and their batch norm statistics are
recomputed after the few epochs; `--as_published` does neither, like the paper. Stem widths are
multiples of 4 from 4 to 128.

`--corpus=scenes` takes mono clips in the TAU 2022 layout, with classes of their own, and uses the
one channel for both ears. `--parallel_tasks=4` searches with several workers, `--executor=ray` on
the nodes of a cluster; workers elsewhere join with `--join` and the same `--storage`. Not tested at
the published scale.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, package, scenes, search

# Networks with the code's stem and padding cost a quarter of the compute.
DEMO = scenes.DEMO | {"candidates": 6, "final_epochs": 4, "reading": "code"}

flags.DEFINE_integer("candidates", 510, "Networks to train in each search.", lower_bound=1)
flags.DEFINE_multi_enum(
    "methods", ["random"], ["random", "nsga2"], "Searches to run; the paper's is random."
)
flags.DEFINE_integer("epochs", 3, "EPOCHS: Epochs of training for each candidate.", 1)
flags.DEFINE_integer(
    "final_epochs",
    60,
    "EPOCHS: Epochs of training from scratch for each selected network.",
    1,
)
flags.DEFINE_float(
    "validation_fraction",
    0.25,
    "SHARE: Share of the training clips held out by location to select candidates on; 0 to 0.9.",
    lower_bound=0.0,
    upper_bound=0.9,
)
flags.DEFINE_bool(
    "as_published",
    False,
    "Train candidates on the whole training list and select them on the dev-test clips, which "
    "makes the test accuracy of the selected ones optimistic; and keep the moving statistics of "
    "batch norm as training leaves them.",
)
flags.DEFINE_enum(
    "reading", "paper", ["paper", "code"], "Stem and padding: as in the paper or as in its code."
)
flags.DEFINE_float("smallest_kib", 250.0, "KIB: Smallest size of a network at float32.")
flags.DEFINE_float("largest_kib", 500.0, "KIB: Largest size of a network at float32.")
for group in (scenes, package, search):
    flags.adopt_module_key_flags(group)


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _scene_search

    _scene_search.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
