"""What the challenge recipes share: clips and plans as the flags say, the package. No recipe."""

import logging
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcase_system import pipeline, runs, workers
from dcase_system.audio.impulse_responses import ImpulseResponses, read_impulse_responses
from dcase_system.challenge.description import described
from dcase_system.challenge.systems import (
    DEMO_PRUNED_EPOCHS_FACTOR,
    MASK_FRAMES,
    PRUNED_EPOCHS_FACTOR,
    SYSTEMS,
    Planned,
    PruningOptions,
    planned,
)
from dcase_system.challenge.teachers import (
    DEMO,
    DEMO_EPOCHS,
    DEMO_MEMBERS,
    PUBLISHED_MEMBERS,
    missing_weights,
    teacher_plans,
)
from dcase_system.corpora.corpus import Corpus, read_corpus
from dcase_system.corpora.demo import write_demo_corpus
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.lists import Lists, read_split
from dcase_system.corpora.tau import CLIP_SECONDS
from dcase_system.data import SAMPLE_RATE, Data, decoded
from dcase_system.distillation.ensemble_store import Ensemble, read_ensemble
from dcase_system.distillation.plan import TeacherPlan
from dcase_system.distillation.teachers import train_teachers
from dcase_system.edge.tflite import FORMATS
from dcase_system.errors import InputError
from dcase_system.help import Flags
from dcase_system.places import Place, place
from dcase_system.progress import progress_bar
from dcase_system.pruning.rounds import PruningRound
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.summary import run_summary
from dcase_system.reporting.tables import COLUMNS
from dcase_system.student import costs
from dcase_system.student.plan import AwarePlan, StudentPlan
from dcase_system.submission.assemble import HandedInRun, HandedInSystem, assemble
from dcase_system.submission.card import AuthorCard, read_author_card
from dcase_system.submission.placeholders import refuse_placeholders
from recipes import _flags

_LOG = logging.getLogger("dcase_system.recipes")
_OVER_THE_LIMITS = (
    "Not packed: zeros change neither parameters nor MACs as the rules count them since 2022, nor "
    "the time on a device without kernels for sparse weights. A zipped file is smaller, and the "
    "rules of 2020 and 2021 count fewer parameters: see the report's table of zeros."
)


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
    lists, overwrite = read_split(corpus, split, evaluation), _flags.OVERWRITE.value
    files: dict[str, Any] = {
        "formats": _flags.TFLITE_FORMATS.value or FORMATS,
        "aware": AwarePlan(epochs=_flags.QAT_EPOCHS.value) if _flags.QAT_EPOCHS.value else None,
    }
    learns = bool(_flags.TEACHERS.value) or (_flags.DISTILL.value and system != "baseline")
    ensemble = None
    if _flags.TEACHERS.value:
        ensemble = teachers(lists, split, plan, Path(_flags.TEACHERS.value))
    settings = pipeline.settings_of(plan, split, lists.record, ensemble, responses, **files)
    if learns and ensemble is None:
        del settings["teachers"]  # known when they are trained
    runs.check(run_dir, settings, overwrite=overwrite)
    data = decoded(lists, split, stores(), seconds=clip_seconds())
    if learns and ensemble is None:
        _check_pruning(plan, corpus)
        ensemble = teachers(lists, split, plan, _trained_teachers(name, data, responses))
    run = pipeline.run_split(
        run_dir,
        plan,
        data,
        ensemble=ensemble,
        impulse_responses=responses,
        **files,
        system=system,
        overwrite=overwrite,
    )
    print(run_summary(run_dir))
    print(f"\nreport: {run_dir / REPORT}\n{textwrap.fill(runs.provenance(run_dir), COLUMNS)}")
    if evaluation and SYSTEMS[system].zeros:
        print(f"\n{textwrap.fill(_OVER_THE_LIMITS, COLUMNS)}")
    elif evaluation:
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


def _check_pruning(plan: StudentPlan, corpus: Corpus) -> None:
    """Refuses limits that no pruning meets, before teachers are trained."""
    costs.final_costs(*_costed(plan, corpus))


def clip_seconds() -> float:
    """Length of a clip, as the flag says."""
    return _flags.SECONDS.value or CLIP_SECONDS


def check_limits(system: str, corpus: Corpus) -> None:
    """Refuses a system that is not small enough for a package, before anything is trained.

    The systems of the demo corpus are.
    """
    if _flags.DATA_DIR.value is None:
        return
    trainings = planned(system, 1, pruning_options(), demo=False)
    if not SYSTEMS[system].zeros:  # they make nothing smaller, and are not packed
        costs.check_limits(*_costed(trainings, corpus))


def _costed(trainings: StudentPlan | Planned, corpus: Corpus) -> tuple:
    """What `student.costs` takes: network, rounds that remove channels, classes, samples."""
    rounds = [one for one in trainings.rounds if isinstance(one, PruningRound)]
    samples = round(clip_seconds() * SAMPLE_RATE)
    return trainings.architecture, rounds, len(corpus.scenes), samples


def _plan(name: str, published: dict[str, Any], demo: dict[str, Any]) -> StudentPlan:
    """A system's trainings: its recipe's hyper-parameters, then what the flags say."""
    on_demo = _flags.DATA_DIR.value is None
    settings, factor = published, PRUNED_EPOCHS_FACTOR
    if on_demo:
        settings, factor = demo, DEMO_PRUNED_EPOCHS_FACTOR
    if SYSTEMS[name].rounds:
        settings = settings | _pruned(settings, factor)
    settings = student_settings(settings, SYSTEMS[name].mask_frames)
    trainings = planned(name, settings.pop("epochs"), pruning_options(), demo=on_demo)
    return StudentPlan(
        architecture=trainings.architecture,
        epochs=trainings.epochs,
        rounds=trainings.rounds,
        seed=_flags.SEED.value,
        **settings,
    )


def pruning_options() -> PruningOptions:
    """What the flags say of pruning."""
    base = _flags.BASE_CHANNELS.value
    return PruningOptions(
        base_channels=int(base) if base else None,
        schedule=_flags.PRUNING_SCHEDULE.value,
        importance=_flags.IMPORTANCE.value,
        ratios=_flags.RATIOS.value,
        max_macs=_flags.TARGET_MACS.value,
        max_bytes=_flags.TARGET_BYTES.value,
    )


def split_flags(published: dict[str, Any], demo: dict[str, Any]) -> Flags:
    """The shared flags of a split recipe, with its hyper-parameters as their defaults."""
    defaults = {
        **_flags.defaults(published, demo),
        "for pruned systems": _pruned(published, PRUNED_EPOCHS_FACTOR),
        f"for pruned systems {_flags.DEMO}": _pruned(demo, DEMO_PRUNED_EPOCHS_FACTOR),
    }
    defaults["for S1, S2, S2c, S3, dense and magnitude"] = {"mask_frames": MASK_FRAMES}
    return Flags(groups=_flags.GROUPS, defaults=defaults)


def _pruned(settings: dict[str, Any], factor: float) -> dict[str, Any]:
    return {"epochs": round(factor * settings["epochs"])}


def given_settings() -> dict[str, Any]:
    """The hyper-parameters that flags set."""
    settings = _flags.given(_flags.OF_TRAINING)
    if _flags.IMPULSE_RESPONSES.value:
        settings |= _flags.given([_flags.IMPULSE_RESPONSE_PROBABILITY])
    return settings


def student_settings(scale: dict[str, Any], mask_frames: int) -> dict[str, Any]:
    """A recipe's hyper-parameters of students, then what the flags say."""
    of_students = _flags.given([_flags.LABEL_WEIGHT, _flags.TEMPERATURE, _flags.MASK_FRAMES])
    return {"mask_frames": mask_frames} | scale | given_settings() | of_students


def stores() -> Path:
    """Folder of the decoded clips."""
    return Path(_flags.CACHE_DIR.value) / "stores"


def teachers(lists: Lists, split: int, plan: StudentPlan, folder: Path) -> Ensemble:
    """The ensemble in a folder, checked for these clips."""
    return read_ensemble(
        folder,
        split=split,
        scenes=lists.corpus.scenes,
        filenames=lists.train.filenames,
        validation_fraction=plan.validation_fraction,
    )


def _trained_teachers(name: str, data: Data, responses: ImpulseResponses | None) -> Path:
    """The folder of the teachers that are trained here first."""
    if _flags.DISTRIBUTION.value == "multi_worker":
        raise InputError(
            "teachers are trained by a command of their own where several machines train",
            where="--teachers",
            expected="the folder that recipes.teachers has made",
        )
    given_dir = _flags.OUTPUT_DIR.value
    folder = Path(f"{given_dir}-teachers") if given_dir else teachers_folder(name, data.split)
    given = _flags.given([_flags.VALIDATION_FRACTION])
    if responses is not None:
        given |= _flags.given([_flags.IMPULSE_RESPONSE_PROBABILITY])
    if _flags.TEACHER_EPOCHS.value:
        given["epochs"] = _flags.TEACHER_EPOCHS.value
    train_teachers(folder, ensemble_plans(data.split, given), data, responses)
    return folder


def teachers_folder(name: str, split: int) -> Path:
    """Where the teachers of a split lie that no flag names."""
    return Path(f"runs/{name}/teachers-seed{_flags.SEED.value}/split_{split}")


def ensemble_plans(split: int, given: dict[str, Any]) -> list[TeacherPlan]:
    """The teachers of a split, as the flags say.

    Args:
        split: percentage of the training list.
        given: hyper-parameters that flags set.
    """
    members: Sequence[str] = PUBLISHED_MEMBERS
    if _flags.DATA_DIR.value is None:
        members, given = DEMO_MEMBERS, {**DEMO, "epochs": DEMO_EPOCHS[split], **given}
    plans = teacher_plans(
        _flags.MEMBERS.value or members,
        _flags.INITIAL_WEIGHTS.value,
        seed=_flags.SEED.value,
        given=given,
    )
    if missing := missing_weights(plans):
        _LOG.warning("%s", missing)
    return plans


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
        described({run.split: run.settings for run in runs}),
        {
            run.split: HandedInRun(
                run.scores["forms"][run.scores["submitted_form"]], run.output, run.complexity
            )
            for run in runs
            if run.output is not None
        },
    )
