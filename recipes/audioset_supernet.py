"""A once-for-all supernet (OFA-AEC, Lin et al.): train once, search each budget, compare, export.

    python -m recipes.audioset_supernet                      # demo mixtures
    python -m recipes.audioset_supernet --data_dir=AUDIOSET  # the paper's scale
    python -m recipes.audioset_supernet --data_dir=TAU \\
        --corpus=mixtures                                    # a CPU's scale

`edge_<budget>/` holds the `.tflite` files of each selected network, scored on the test clips.
Training lengths are given in steps and rounded up to whole epochs. `--parallel_tasks=4` searches
with several workers, `--executor=ray` on the nodes of a cluster; workers elsewhere that see the run
directory join with `--join` and the same `--storage`, once the supernets are trained. Not tested at
the paper's scale. Mixtures are made from clips in the TAU 2022 layout.
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, set_defaults, supernet

# The paper gives steps; the number of epochs depends on how many clips a copy of AudioSet has. The
# paper's other values are the defaults of the flags.
AUDIOSET = {"seconds": 10.0, "batch_size": 64, "learning_rate": 0.001}
# Steps in the paper's proportions.
MIXTURES: dict[str, Any] = {
    "teacher_steps": 3_000,
    "largest_steps": 750,
    "samples_steps": 1_500,
    "alone_steps": 750,
    "tuning_steps": ["75", "750"],
    "seconds": 1.0,
    "width": 0.5,
    "batch_size": 32,
    "mixtures": ["3000", "1000", "1500"],
}
DEMO = MIXTURES | {
    "teacher_steps": 16,
    "largest_steps": 8,
    "samples_steps": 8,
    "alone_steps": 16,
    "tuning_steps": ["8", "16"],
    "width": 0.125,
    "patterns": "2,2,X;none",
    "draws": 3,
    "mixtures": ["256", "128", "128"],
    "tflite_formats": ["float16"],
}

flags.adopt_module_key_flags(supernet)
set_defaults(AUDIOSET)


def main(_: Sequence[str]) -> None:
    if flags.FLAGS.corpus == "mixtures":
        set_defaults(MIXTURES)
    begin(DEMO)
    from recipes import _audioset_supernet

    _audioset_supernet.run()


if __name__ == "__main__":
    cli.run(main, {"with --corpus=mixtures": MIXTURES, "on the demo corpus": DEMO})
