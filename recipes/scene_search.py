"""Scene search (Wu & Lee, DCASE 2020 Task 1B): random search over depthwise CNNs under 500 KB.

    python -m recipes.scene_search                          # stereo demo corpus
    python -m recipes.scene_search --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION                         # Task 1B
    python -m recipes.scene_search --data_dir=SCENES --corpus=scenes \\
        --seconds=1 --segment_frames=100 --candidates=20    # mono clips

Trains candidates for three epochs each (`--epochs`), then two of them from scratch, model A of the
highest accuracy and model B of the lowest loss, and hands these in as a package of Task 1B. Ends
with Tables 3 and 4 and Figures 3 and 4 of the paper, what was published beside them. With
`--methods=random --methods=nsga2` NSGA-II searches too, with as many candidates.

Candidates are selected on clips held out of the training list and have their statistics of batch
norm taken anew after their few epochs; `--as_published` does neither, as the paper. The widths of
the stem go in fours from 4 to 128.

`--corpus=scenes` takes mono clips in the TAU 2022 layout, their channel for both ears, with classes
of their own. More processes search with `--parallel_tasks=4`, on the nodes of a cluster with
`--executor=ray`, and anywhere with `--join` and the same `--storage`. The published scale was not
tried.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, package, scenes, search

# Networks of the code's kind are a quarter the work.
DEMO = scenes.DEMO | {"candidates": 6, "final_epochs": 4, "reading": "code"}

flags.DEFINE_integer("candidates", 510, "Networks that each search trains.", lower_bound=1)
flags.DEFINE_multi_enum(
    "methods", ["random"], ["random", "nsga2"], "Searches to run; the paper's is the random one."
)
flags.DEFINE_integer(
    "epochs", 3, "EPOCHS: Passes over the training segments for each candidate.", 1
)
flags.DEFINE_integer(
    "final_epochs",
    60,
    "EPOCHS: Passes over the training segments for each chosen network, from scratch.",
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
    "Train candidates on the whole training list and select them on the dev-test clips, so that "
    "the test accuracy of what is chosen is too high; and leave the moving statistics of batch "
    "norm as a training ends with them.",
)
flags.DEFINE_enum(
    "reading", "paper", ["paper", "code"], "Stem and padding of the paper or of its code."
)
flags.DEFINE_float("smallest_kib", 250.0, "KIB: Least size of a network at float32.")
flags.DEFINE_float("largest_kib", 500.0, "KIB: Largest size of a network at float32.")
for group in (scenes, package, search):
    flags.adopt_module_key_flags(group)


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _scene_search

    _scene_search.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
