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
from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import cli
from dcase_system.audio.front_ends import FrontEndSpec
from dcase_system.audio.kaldi_mel import KaldiMelSpec
from dcase_system.audio.log_mel import LogMelSpec
from dcase_system.corpora import tau
from dcase_system.distillation.teachers import TeacherPlan, train_member, train_teachers
from dcase_system.errors import InputError
from dcase_system.help import Flags
from dcase_system.models import registry
from dcase_system.models.passt import PaSSTSpec
from dcase_system.reporting.report import write_report
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.teachers_page import read_ensemble_tables
from dcase_system.training.seeds import derive
from recipes import _common, _flags

# fschmid56/cpjku_dcase23, run_passt_training.py; the probability of impulse responses is a flag.
PASST: dict[str, Any] = {
    "epochs": 25,
    "batch_size": 80,
    "learning_rate": 1e-5,
    "weight_decay": 1e-3,
    "schedule": "exponential_linear",
    "roll_seconds": 10_000 / 32_000,
    "mask_mels": 48,
    "mask_frames": 20,
    "mixstyle_probability": 0.4,
    "mixstyle_alpha": 0.4,
}
PASST_FRONT_END = KaldiMelSpec(max_hz=15_500.0, max_hz_range=1_000)
PASST_PATCHOUT_MELS = 6
# From scratch the published rate and the 25 epochs lead nowhere; chosen here.
PASST_FROM_SCRATCH = PASST | {
    "epochs": 150,
    "learning_rate": 5e-4,
    "schedule": "warmup_cosine",
}
# Networks of the students' kind: the baseline's recipe with the teachers' augmentation.
CONVOLUTIONAL: dict[str, Any] = {
    "epochs": 150,
    "batch_size": 256,
    "learning_rate": 0.004,
    "roll_seconds": 0.3,
    "mixstyle_alpha": 0.4,
}
DEMO_MEMBERS = ["cp_mobile", "passt_tiny"]
DEMO = {"batch_size": 64}
DEMO_EPOCHS = {5: 40, 10: 30, 25: 20, 50: 12, 100: 10}

_SPLIT = flags.DEFINE_enum(
    "split", "100", list(map(str, tau.SPLITS)), "Training list, in percent of all training clips."
)
_ONLY = flags.DEFINE_integer(
    "only", None, "INDEX: Train this member alone, from 1; the others elsewhere meanwhile. [all]", 1
)
_OTHERS = Flags(
    groups=_flags.GROUPS,
    refused=(*_flags.OF_PACKAGES, *_flags.OF_STUDENTS),
    defaults={
        "": _flags.OF_PLANS | {"members": _common.PUBLISHED_TEACHERS},
        "for PaSST with initial weights": PASST,
        "for PaSST from scratch": PASST_FROM_SCRATCH,
        "for others": CONVOLUTIONAL,
        _flags.DEMO: DEMO
        | {
            "epochs": f"{DEMO_EPOCHS[5]} to {DEMO_EPOCHS[100]}, by split,",
            "members": DEMO_MEMBERS,
        },
    },
    texts={"epochs": "EPOCHS: Passes over the training clips in the training of each teacher."},
)


def main(argv: Sequence[str]) -> None:
    _common.join_team()
    split, given = int(_SPLIT.value), _common.given_settings()
    if _flags.DATA_DIR.value is None:
        given = DEMO | {"epochs": DEMO_EPOCHS[split]} | given
    members = _flags.MEMBERS.value or (
        _common.PUBLISHED_TEACHERS if _flags.DATA_DIR.value else DEMO_MEMBERS
    )
    weights: list[Path | None] = [Path(folder) for folder in _flags.INITIAL_WEIGHTS.value]
    if len(weights) > len(members):
        raise InputError(
            "more initial weights than members",
            where="--initial_weights",
            expected=f"at most {len(members)}",
            received=len(weights),
        )
    weights += [None] * (len(members) - len(weights))
    plans = [
        plan(index, member, initial, given)
        for index, (member, initial) in enumerate(zip(members, weights, strict=True), 1)
    ]
    responses = _common.impulse_responses()
    corpus, _, name = _common.folders()
    data = _common.read_data(corpus, split)
    seed = _flags.SEED.value
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/teachers-seed{seed}/split_{split}")
    if _ONLY.value:
        train_member(run_dir, plans, _ONLY.value, data, responses)
        return
    train_teachers(run_dir, plans, data, responses)
    print("\n\n".join(map(as_text, read_ensemble_tables(run_dir))))
    print(f"\nteachers: {run_dir}\nreport: {write_report(run_dir)}")


def plan(index: int, member: str, initial: Path | None, given: dict[str, Any]) -> TeacherPlan:
    """The plan of one member: constants of its kind, then what the flags say."""
    spec = registry.read_spec(member) if member.endswith(".json") else registry.named_spec(member)
    front_end: FrontEndSpec = LogMelSpec()
    settings = CONVOLUTIONAL
    if isinstance(spec, PaSSTSpec):
        front_end = PASST_FRONT_END
        settings = PASST if initial else PASST_FROM_SCRATCH
        if spec.grid[0] > PASST_PATCHOUT_MELS:
            spec = replace(spec, patchout_mels=PASST_PATCHOUT_MELS)
    return TeacherPlan(
        name=f"{index}-{Path(member).stem}",
        spec=spec,
        front_end=front_end,
        initial_weights=initial,
        seed=derive(_flags.SEED.value, index),
        **(settings | given),
    )


if __name__ == "__main__":
    cli.run(main, _OTHERS)
