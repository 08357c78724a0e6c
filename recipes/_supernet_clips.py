"""The clips of the supernet's recipe, if its run directory may hold them. Not a recipe itself."""

from pathlib import Path
from typing import Any

from dcase_system import runs
from dcase_system.corpora.audioset import PAPER_VALIDATION_CLIPS, read_audioset
from dcase_system.corpora.lists import read_split
from dcase_system.corpora.mixtures import MIXED_SPLIT
from dcase_system.data import TaggedData, load_audioset, load_mixtures
from dcase_system.places import place
from dcase_system.supernet.plan import ExperimentPlan, settings_of
from recipes import _common, _flags
from recipes import _supernet_flags as own


def audioset(run_dir: Path, plan: ExperimentPlan, values: dict[str, Any]) -> TaggedData:
    """AudioSet's clips, if the run directory may hold a run of the plan."""
    runs.check(run_dir, settings_of(plan, {}), overwrite=_flags.OVERWRITE.value)
    return load_audioset(
        read_audioset(_flags.DATA_DIR.value),
        _common.stores(),
        validation=PAPER_VALIDATION_CLIPS,
        seconds=values["seconds"],
        seed=plan.seed,
    )


def mixtures(run_dir: Path, plan: ExperimentPlan, values: dict[str, Any]) -> TaggedData:
    """Mixtures of scene clips, if the run directory may hold a run of the plan on their lists."""
    corpus, _, _ = _common.folders()
    train, validation, test = own.integers(own.MIXTURES, 3) or values["mixtures"]
    lists = read_split(corpus, MIXED_SPLIT)
    runs.check(run_dir, settings_of(plan, lists.record), overwrite=_flags.OVERWRITE.value)
    return load_mixtures(
        lists,
        _common.stores(),
        train=train,
        validation=validation,
        test=test,
        seconds=values["seconds"],
        mixture_seconds=own.MIXTURE_SECONDS.value,
    )


def corpus_name() -> str:
    """Of the scene clips that are mixed."""
    given = _flags.DATA_DIR.value
    return "the demo corpus" if given is None else place(given).resolve().name
