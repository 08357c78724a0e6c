"""DCASE 2024 Task 1 on the 100 percent split: 139,620 training clips (102,150 on device a).

    python -m recipes.split100 --data_dir=DEVELOPMENT \\
        --evaluation_dir=EVALUATION --system=S1

Trains teachers on `split100.csv` (unless `--teachers` names a folder of them) and a wide student
that learns from them; then prunes the student, fine-tunes it by distillation, exports it to TFLite,
scores every variant on the dev-test clips, predicts the evaluation clips and packages the
predictions. `--nodistill` trains without teachers, `--system=dense` without pruning. With
--data_dir the hyper-parameters are those of the 2024 baseline, which published the same ones for
every split; without it the recipe runs on the embedded demo corpus, at demo scale.
"""

from collections.abc import Sequence

from absl import flags

from dcase_system.challenge.systems import DEMO_EPOCHS
from dcase_system.core import cli
from recipes._flags import begin, set_defaults, split

PUBLISHED = {"epochs": 150, "batch_size": 256, "learning_rate": 0.005}
DEMO = {"epochs": DEMO_EPOCHS[100], "batch_size": 64}

flags.adopt_module_key_flags(split)
set_defaults(PUBLISHED)


def main(_: Sequence[str]) -> None:
    begin(DEMO)
    from recipes import _split

    _split.run(100)


if __name__ == "__main__":
    cli.run(main, split.other_defaults(DEMO))
