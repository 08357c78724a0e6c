"""A network for your own sounds: from folders of recordings to a file for a device.

    python -m recipes.sounds --data_dir=RECORDINGS --fast
    python -m recipes.sounds --data_dir=RECORDINGS \\
        --target=esp32-s3 --output_dir=RUN

RECORDINGS holds a folder of recordings for each class: any length, sample rate and number of
channels. They are cut into windows and divided into training and test so that no recording, no
group of recordings and no copy of one is in both; a summary names what is doubtful. Then a wide
network learns from teachers, is pruned to the budget of --target and fine-tuned (--fast: a small
one is trained directly), exported, and scored by window and by recording. The windows and lists
are left in RUN-corpus, in the layout that the other recipes take as --data_dir. Without --data_dir
the recipe runs on recordings made of the demo corpus.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.core import cli
from recipes._flags import begin, files, output, set_defaults, sounds, training

DEMO = {"fast": True, "epochs": 5, "batch_size": 32}

for group in (sounds, training, files, output):
    flags.adopt_module_key_flags(group)
set_defaults({"batch_size": 64, "learning_rate": 0.005})


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _sounds

    _sounds.run()


if __name__ == "__main__":
    cli.run(main, {"on the demo corpus": DEMO})
