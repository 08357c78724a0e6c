"""Teachers of one split, for its students to learn from.

    python -m recipes.teachers --split=25 --data_dir=DEVELOPMENT \\
        --impulse_responses=DIR --initial_weights=IMPORTED,IMPORTED,IMPORTED

Trains the members one after the other on the clips of the split alone and stores their logits; a
finished member is not trained again. Give the folder to the students: `--teachers=DIR`. As in the
report, the default are four PaSST: the first ones start from the imported checkpoints that
`--initial_weights` names in their order, the others from scratch. PaSST needs an accelerator and
pretraining; `--members=cp_mobile_teacher,...` are teachers for a CPU. Without --data_dir two small
members are trained on the embedded demo corpus.
"""

from collections.abc import Sequence
from pathlib import Path

from dcase_system import cli, runs
from dcase_system.challenge.teachers import (
    CONVOLUTIONAL,
    DEMO,
    DEMO_EPOCHS,
    DEMO_MEMBERS,
    PASST,
    PASST_FROM_SCRATCH,
    PUBLISHED_MEMBERS,
)
from dcase_system.corpora.lists import read_split
from dcase_system.data import decoded
from dcase_system.distillation.plan import settings_of
from dcase_system.distillation.teachers import train_member, train_teachers
from dcase_system.help import Flags
from dcase_system.reporting.report import write_report
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.teachers_page import read_ensemble_tables
from recipes import _common, _flags
from recipes import _teacher_flags as own

_OTHERS = Flags(
    groups=_flags.groups_with(own.GROUPS),
    refused=(*_flags.OF_PACKAGES, *_flags.OF_STUDENTS),
    defaults={
        "": _flags.OF_PLANS | {"members": PUBLISHED_MEMBERS},
        "for PaSST with initial weights": PASST,
        "for PaSST from scratch": PASST_FROM_SCRATCH,
        "for others": CONVOLUTIONAL,
        _flags.DEMO: {
            **DEMO,
            "epochs": f"{DEMO_EPOCHS[5]} to {DEMO_EPOCHS[100]}, by split,",
            "members": DEMO_MEMBERS,
        },
    },
    texts={"epochs": "EPOCHS: Passes over the training clips in the training of each teacher."},
)


def main(argv: Sequence[str]) -> None:
    _common.join_team()
    split, given = int(own.SPLIT.value), _common.given_settings()
    plans = _common.ensemble_plans(split, given)
    responses = _common.impulse_responses()
    corpus, _, name = _common.folders()
    run_dir = Path(_flags.OUTPUT_DIR.value or _common.teachers_folder(name, split))
    lists, overwrite = read_split(corpus, split), _flags.OVERWRITE.value
    settings = settings_of(plans, split, lists.record, responses)
    runs.check(run_dir, settings, overwrite=overwrite)
    data = decoded(lists, split, _common.stores(), seconds=_common.clip_seconds())
    if own.ONLY.value:
        train_member(run_dir, plans, own.ONLY.value, data, responses)
        return
    train_teachers(run_dir, plans, data, responses, overwrite=overwrite)
    print("\n\n".join(map(as_text, read_ensemble_tables(run_dir))))
    print(f"\nteachers: {run_dir}\nreport: {write_report(run_dir)}")


if __name__ == "__main__":
    cli.run(main, _OTHERS)
