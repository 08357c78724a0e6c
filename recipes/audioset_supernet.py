"""A once-for-all supernet (OFA-AEC, Lin et al.): train once, search each budget, tune, compare.

python -m recipes.audioset_supernet                                       # demo mixtures
python -m recipes.audioset_supernet --data_dir=AUDIOSET                   # the paper's scale
python -m recipes.audioset_supernet --data_dir=TAU --corpus=mixtures      # a CPU's scale

The paper's scale was not tried. Mixtures are of the clips of a folder in the TAU 2022 layout.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import cli
from dcase_system.audio.panns_mel import PannsMelSpec
from dcase_system.corpora.audioset import PAPER_VALIDATION_CLIPS, read_audioset
from dcase_system.data import TaggedData, load_audioset, load_mixtures
from dcase_system.errors import InputError
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.reporting.supernet import summary
from dcase_system.supernet.experiment import ExperimentPlan, run_experiment
from dcase_system.supernet.step import SupernetPlan
from recipes import _common

# 400K steps of the teacher; 100K of the largest and 200K of samples; tuning of 10K and 100K, at 346
# steps of 64 clips an epoch. Of the networks trained alone the paper gives no steps.
AUDIOSET = {"teacher": 1_156, "largest": 289, "samples": 578, "alone": 867, "tuning": (29, 289)}
MIXTURES = {"teacher": 30, "largest": 8, "samples": 16, "alone": 24, "tuning": (2, 8)}
DEMO = {"teacher": 2, "largest": 1, "samples": 1, "alone": 1, "tuning": (1, 2)}
PAPER_SECONDS, PAPER_MASK_FRAMES = 10.0, 64

_CORPUS = flags.DEFINE_enum(
    "corpus", "audioset", ["audioset", "mixtures"], "What --data_dir holds; the demo is mixtures."
)
_WIDTH = flags.DEFINE_float("width", None, "Of the supernet, as a share of CNN10's.", 0.05, 1.0)
_SECONDS = flags.DEFINE_float("seconds", None, "Length of a clip.", 0.2)
_MIXTURES = flags.DEFINE_list("mixtures", None, "Mixtures to train on, search on and test on.")
_PATTERNS = flags.DEFINE_string("patterns", "2,2,X", "Of depth, such as 2,2,X;X,X,X.")
_DRAWS = flags.DEFINE_integer("draws", None, "Sub-networks scored a search.", lower_bound=1)
_RANKED = flags.DEFINE_integer("ranked", 0, "Sub-networks also trained alone.", lower_bound=0)
_SAMPLING = flags.DEFINE_enum("sampling", "uniform", ["uniform", "sandwich"], "Of a step's four.")
_IN_PLACE = flags.DEFINE_bool("in_place", False, "Learn from the largest of the step.")
_SCHEDULE = flags.DEFINE_enum(
    "schedule", "constant", ["constant", "warmup_cosine"], "Of the learning rate."
)
_EPOCHS = {
    name: flags.DEFINE_integer(f"{name}_epochs", None, f"Of the {what}.", lower_bound=1)
    for name, what in {
        "teacher": "teacher",
        "largest": "supernet with its largest sub-network alone, first",
        "samples": "supernet with four a step, then",
        "alone": "networks to compare with",
    }.items()
}
_TUNING = flags.DEFINE_list("tuning_epochs", None, "Of the tuned sub-networks, fewer and more.")
_OF_OTHERS = (_common.EPOCHS, _common.EVALUATION_DIR, _common.VALIDATION_FRACTION)


def main(_: Sequence[str]) -> None:
    _common.refuse((*_OF_OTHERS, *_common.OF_STUDENTS))
    plan, data = settings()
    name = Path(_common.DATA_DIR.value or "demo").name
    run_dir = Path(_common.OUTPUT_DIR.value or f"runs/{name}/supernet-seed{plan.seed}")
    run_experiment(run_dir, plan, data)
    print(summary(run_dir))
    print(f"\nrun directory: {run_dir}")


def settings() -> tuple[ExperimentPlan, TaggedData]:
    """The plan and the clips, as the flags say."""
    scale: dict[str, Any] = MIXTURES if _CORPUS.value == "mixtures" else AUDIOSET
    if _common.DATA_DIR.value is None:
        scale = DEMO
    paper = scale is AUDIOSET
    seconds = _SECONDS.value or (PAPER_SECONDS if paper else 1.0)
    epochs = scale | {name: flag.value for name, flag in _EPOCHS.items() if flag.value}
    width = _WIDTH.value or {id(AUDIOSET): 1.0, id(MIXTURES): 0.5}.get(id(scale), 0.125)
    widths = [round(width * channels) for channels in (64, 128, 256, 512)]
    common: dict[str, Any] = {
        "batch_size": _common.BATCH_SIZE.value or (64 if paper else 32),
        "learning_rate": _common.LEARNING_RATE.value or 1e-3,
        "schedule": _SCHEDULE.value,
        "mask_frames": max(1, round(PAPER_MASK_FRAMES * seconds / PAPER_SECONDS)),
    }
    tuning = _integers(_TUNING, 2) or scale["tuning"]
    plan = ExperimentPlan(
        base=CNN10Spec(blocks=tuple((c, c) for c in widths), embedding=widths[-1]),
        front_end=PannsMelSpec(),
        teacher=SupernetPlan(epochs=epochs["teacher"], mixup=True, **common),
        supernet=SupernetPlan(
            epochs=epochs["largest"] + epochs["samples"],
            largest_epochs=epochs["largest"],
            sampling=_SAMPLING.value,
            in_place=_IN_PLACE.value,
            accumulation=_common.ACCUMULATION.value or 1,
            **common,
        ),
        alone=SupernetPlan(epochs=epochs["alone"], **common),
        tuning_epochs=(tuning[0], tuning[1]),
        patterns=tuple(_PATTERNS.value.split(";")),
        draws=_DRAWS.value or (3 if scale is DEMO else 25),
        ranked=_RANKED.value,
        calibration_clips=2_000 if paper else 256,
        seed=_common.SEED.value,
    )
    stores = Path(_common.CACHE_DIR.value) / "stores"
    if paper:
        audioset = read_audioset(_common.DATA_DIR.value)
        return plan, load_audioset(
            audioset, stores, validation=PAPER_VALIDATION_CLIPS, seconds=seconds, seed=plan.seed
        )
    corpus, _, _ = _common.folders()
    default = (256, 128, 128) if scale is DEMO else (3_000, 1_000, 1_500)
    train, validation, test = _integers(_MIXTURES, 3) or default
    data = load_mixtures(
        corpus, stores, train=train, validation=validation, test=test, seconds=seconds
    )
    return plan, data


def _integers(flag: flags.FlagHolder, count: int) -> list[int]:
    """The positive integers of a flag; none if it is not given."""
    given = flag.value or []
    if given and (len(given) != count or not all(one.isdecimal() and int(one) for one in given)):
        raise InputError(
            "wrong list",
            where=f"--{flag.name}",
            expected=f"{count} positive integers",
            received=",".join(given),
        )
    return [int(one) for one in given]


flags.adopt_module_key_flags(_common)  # `--help` shows them too

if __name__ == "__main__":
    cli.run(main)
