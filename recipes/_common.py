"""What the challenge recipes share: clips and plans as the flags say, the package. No recipe."""

import logging
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcase_system import pipeline, stages, workers
from dcase_system.audio.impulse_responses import ImpulseResponses, read_impulse_responses
from dcase_system.corpora.corpus import Corpus, read_corpus
from dcase_system.corpora.demo import write_demo_corpus
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.tau import CLIP_SECONDS
from dcase_system.data import SAMPLE_RATE, Data, load_data
from dcase_system.distillation.ensemble_store import Ensemble, read_ensemble
from dcase_system.edge.tflite import FORMATS
from dcase_system.errors import InputError
from dcase_system.help import Flags
from dcase_system.places import Place, place
from dcase_system.progress import progress_bar
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.summary import run_summary
from dcase_system.reporting.tables import COLUMNS
from dcase_system.student import costs
from dcase_system.student.plan import AwarePlan, StudentPlan
from dcase_system.submission.assemble import HandedInRun, HandedInSystem, assemble
from dcase_system.submission.card import AuthorCard, read_author_card
from dcase_system.submission.placeholders import refuse_placeholders
from recipes import _flags
from recipes._systems import (
    DEMO_PRUNED_EPOCHS_FACTOR,
    PRUNED_EPOCHS_FACTOR,
    SYSTEMS,
    described,
    rounds_of,
)

_LOG = logging.getLogger("dcase_system.recipes")
PUBLISHED_TEACHERS = ["passt_s"] * 4


def join_team() -> None:
    """Makes this process one of those that train together, as the flag says; first of all."""
    workers.start(_flags.DISTRIBUTION.value)


def announce_demo() -> None:
    """Says that there is no real data; every recipe's first line then."""
    _LOG.info("no --data_dir: running on the embedded demo corpus, at demo scale")


def folders() -> tuple[Corpus, Place | None, str]:
    """The development corpus, the evaluation folder and a name for them, as the flags say.

    Without `--data_dir` this is the demo corpus, made when it is not there yet.
    """
    if _flags.DATA_DIR.value is None:
        if _flags.EVALUATION_DIR.value is not None:
            raise InputError(
                "evaluation clips without development clips",
                where="--evaluation_dir",
                expected="--data_dir beside it",
            )
        announce_demo()
        with progress_bar("making the demo corpus", "clip") as show:
            demo = write_demo_corpus(Path(_flags.CACHE_DIR.value) / "demo", progress=show)
        return read_corpus(demo.development), demo.evaluation, "demo"
    development = place(_flags.DATA_DIR.value)
    evaluation = place(_flags.EVALUATION_DIR.value) if _flags.EVALUATION_DIR.value else None
    return read_corpus(development, _flags.SCENES.value), evaluation, development.resolve().name


def author_card(systems: Sequence[str], root: Place | None) -> AuthorCard:
    """The card that the flag names, filled in if it has to be.

    Args:
        systems: keys of those that are handed in.
        root: of the clips that a package is made of; None for no package.

    Raises:
        InputError: the card is not as it should be, or it holds placeholders and the clips are not
            the demo's.
    """
    path = _flags.AUTHOR_CARD.value
    card = read_author_card(path)
    if root is not None and not is_demo(root):
        refuse_placeholders(card, path, systems)
    return card


def run_split(split: int, system: str, published: dict[str, Any], demo: dict[str, Any]) -> None:
    """One system on one split, as the flags say, and its package.

    Args:
        split: percentage of the training list.
        system: a key of `SYSTEMS`.
        published: hyper-parameters with `--data_dir`.
        demo: hyper-parameters on the demo corpus.
    """
    join_team()
    corpus, evaluation, name = folders()
    card = author_card([system], corpus.root if evaluation else None)
    responses = impulse_responses()
    plan = _plan(system, published, demo)
    if evaluation:
        check_limits(system, corpus)
    run_dir = Path(_flags.OUTPUT_DIR.value or f"runs/{name}/split{split}-{system}-seed{plan.seed}")
    data = read_data(corpus, split, evaluation)
    ensemble = teachers(data, plan)
    run = pipeline.run_split(
        run_dir,
        plan,
        data,
        ensemble=ensemble,
        impulse_responses=responses,
        formats=_flags.TFLITE_FORMATS.value or FORMATS,
        aware=AwarePlan(epochs=_flags.QAT_EPOCHS.value) if _flags.QAT_EPOCHS.value else None,
    )
    print(run_summary(run_dir))
    print(f"\nreport: {run_dir / REPORT}\n{textwrap.fill(stages.provenance(run_dir), COLUMNS)}")
    if evaluation:
        package = assemble(
            run_dir / "submission",
            card,
            [handed_in(system, [run])],
            scenes=corpus.scenes,
            devices=corpus.devices,
            evaluation_filenames=data.evaluation,
            handed_in=not is_demo(corpus.root),
        )
        print(f"package of this split alone, validated: {package}")


def read_data(corpus: Corpus, split: int, evaluation: Place | None = None) -> Data:
    """The clips of a split, as long as the flags say."""
    stores = Path(_flags.CACHE_DIR.value) / "stores"
    return load_data(corpus, split, evaluation, stores, seconds=clip_seconds())


def clip_seconds() -> float:
    return _flags.SECONDS.value or CLIP_SECONDS


def check_limits(system: str, corpus: Corpus) -> None:
    """Refuses a system that is not small enough for a package, before anything is trained.

    The systems of the demo corpus are.
    """
    if _flags.DATA_DIR.value is None:
        return
    rounds = rounds_of(system, 1)[1] if SYSTEMS[system].rounds else ()
    samples = round(clip_seconds() * SAMPLE_RATE)
    costs.check_limits(SYSTEMS[system].architecture, rounds, len(corpus.scenes), samples)


def _plan(name: str, published: dict[str, Any], demo: dict[str, Any]) -> StudentPlan:
    """A system's trainings: its recipe's hyper-parameters, then what the flags say."""
    system, settings, factor = SYSTEMS[name], published, PRUNED_EPOCHS_FACTOR
    architecture = system.architecture
    if _flags.DATA_DIR.value is None:
        settings, factor = demo, DEMO_PRUNED_EPOCHS_FACTOR
        architecture = system.demo_architecture
    if system.rounds:
        settings = settings | _pruned(settings, factor)
    settings = settings | given_settings() | given_distillation()
    epochs, rounds = rounds_of(name, settings.pop("epochs"))
    return StudentPlan(
        architecture=architecture, rounds=rounds, epochs=epochs, seed=_flags.SEED.value, **settings
    )


def split_flags(published: dict[str, Any], demo: dict[str, Any]) -> Flags:
    """The shared flags of a split recipe, with its hyper-parameters as their defaults."""
    defaults = {
        **_flags.defaults(published, demo),
        "for pruned systems": _pruned(published, PRUNED_EPOCHS_FACTOR),
        f"for pruned systems {_flags.DEMO}": _pruned(demo, DEMO_PRUNED_EPOCHS_FACTOR),
    }
    return Flags(groups=_flags.GROUPS, refused=_flags.OF_TEACHERS, defaults=defaults)


def _pruned(settings: dict[str, Any], factor: float) -> dict[str, Any]:
    return {"epochs": round(factor * settings["epochs"])}


def given_settings() -> dict[str, Any]:
    """The hyper-parameters that flags set."""
    settings = _flags.given(_flags.OF_TRAINING)
    if _flags.IMPULSE_RESPONSES.value:
        settings |= _flags.given([_flags.IMPULSE_RESPONSE_PROBABILITY])
    return settings


def given_distillation() -> dict[str, Any]:
    """What the flags say of the loss with teachers."""
    return _flags.given([_flags.LABEL_WEIGHT, _flags.TEMPERATURE])


def teachers(data: Data, plan: StudentPlan) -> Ensemble | None:
    """The ensemble that the flag names, checked for these clips."""
    if not _flags.TEACHERS.value:
        return None
    return read_ensemble(
        Path(_flags.TEACHERS.value),
        split=data.split,
        scenes=data.scenes,
        filenames=data.train.clips.filenames,
        validation_fraction=plan.validation_fraction,
    )


def impulse_responses() -> ImpulseResponses | None:
    """Those of the folder that the flag names."""
    return (
        read_impulse_responses(_flags.IMPULSE_RESPONSES.value)
        if _flags.IMPULSE_RESPONSES.value
        else None
    )


def handed_in(system: str, runs: Sequence[pipeline.SplitRun]) -> HandedInSystem:
    """A system's finished runs, one a split, as the package takes them."""
    return HandedInSystem(
        system,
        described(system, runs[0].settings),
        {
            run.split: HandedInRun(
                run.scores["forms"][run.scores["submitted_form"]], run.output, run.complexity
            )
            for run in runs
            if run.output is not None
        },
    )
