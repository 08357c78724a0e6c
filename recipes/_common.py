"""What the challenge recipes share: flags, the demo corpus, the package. Not a recipe itself."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system import pipeline, stages
from dcase_system.audio.impulse_responses import ImpulseResponses, read_impulse_responses
from dcase_system.corpora.corpus import Corpus, read_corpus
from dcase_system.corpora.demo import write_demo_corpus
from dcase_system.data import Data, load_data
from dcase_system.distillation.ensemble_store import Ensemble, read_ensemble
from dcase_system.edge.tflite import FORMATS
from dcase_system.errors import InputError
from dcase_system.progress import progress_bar
from dcase_system.reporting.html import REPORT
from dcase_system.reporting.summary import run_summary
from dcase_system.student.plan import AwarePlan, StudentPlan
from dcase_system.submission.assemble import HandedInRun, HandedInSystem, assemble
from dcase_system.submission.card import read_author_card
from recipes._systems import (
    DEMO_PRUNED_EPOCHS_FACTOR,
    PRUNED_EPOCHS_FACTOR,
    QAT_EPOCHS,
    SYSTEMS,
    described,
    rounds_of,
)

_LOG = logging.getLogger("dcase_system.recipes")


DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Development clips in the TAU 2022 Mobile layout; by default the demo corpus."
)
EVALUATION_DIR = flags.DEFINE_string(
    "evaluation_dir", None, "Unlabelled evaluation clips; without them no package is made."
)
SCENES = flags.DEFINE_list(
    "scenes", None, "Class list in label order; by default that of meta.csv, sorted."
)
OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Where the run is written; by default a name below runs/."
)
CACHE_DIR = flags.DEFINE_string(
    "cache_dir", "data", "Demo corpus and waveform stores, shared by all runs."
)
AUTHOR_CARD = flags.DEFINE_string("author_card", "submissions/author_card.yaml", "Who hands in.")
SEED = flags.DEFINE_integer("seed", 0, "Decides everything random.", lower_bound=0)
EPOCHS = flags.DEFINE_integer(
    "epochs", None, "Passes over the split, in all trainings of a system together.", lower_bound=1
)
BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Clips in memory together: what a training needs grows with it.", 2
)
ACCUMULATION = flags.DEFINE_integer(
    "accumulation", None, "Batches a step, for more clips a step than there is memory for.", 1
)
LEARNING_RATE = flags.DEFINE_float("learning_rate", None, "Highest learning rate.", lower_bound=0.0)
VALIDATION_FRACTION = flags.DEFINE_float(
    "validation_fraction",
    None,
    "Part of the split held out by location and scored after each epoch, for the log.",
    lower_bound=0.0,
    upper_bound=0.9,
)
TEACHERS = flags.DEFINE_string(
    "teachers",
    None,
    "Folder of teachers of this split, to learn from; for the package, of split_5 ... split_100.",
)
LABEL_WEIGHT = flags.DEFINE_float(
    "label_weight",
    None,
    "Of the labels in the loss with teachers, the rest is theirs.",
    lower_bound=0.0,
    upper_bound=1.0,
)
TEMPERATURE = flags.DEFINE_float(
    "temperature", None, "Of the softened outputs in the loss with teachers.", lower_bound=0.1
)
TFLITE_FORMATS = flags.DEFINE_list(
    "tflite_formats", None, f"Of the files for devices: some of {', '.join(FORMATS)}; else all."
)
flags.register_validator(
    "tflite_formats",
    lambda given: given is None or (given and set(given) <= set(FORMATS)),
    message=f"expected some of {', '.join(FORMATS)}",
)
flags.register_multi_flags_validator(
    ["qat_epochs", "tflite_formats"],
    lambda given: not given["qat_epochs"] or "int8" in (given["tflite_formats"] or FORMATS),
    message="--qat_epochs trains int8 files: expected int8 in --tflite_formats",
)
IMPULSE_RESPONSES = flags.DEFINE_string(
    "impulse_responses", None, "Folder of them: clips of device a are convolved with some."
)
IMPULSE_RESPONSE_PROBABILITY = flags.DEFINE_float(
    "impulse_response_probability",
    0.6,
    "That a clip of device a is convolved, with --impulse_responses.",
    lower_bound=0.0,
    upper_bound=1.0,
)
# What only the students of the challenge have.
OF_STUDENTS = (TEACHERS, LABEL_WEIGHT, TEMPERATURE, IMPULSE_RESPONSES, TFLITE_FORMATS, QAT_EPOCHS)


def refuse(others: Sequence[flags.FlagHolder]) -> None:
    """Refuses flags of other recipes that have no meaning in this one.

    Raises:
        InputError: one of them is given.
    """
    for flag in others:
        if flag.value is not None:
            raise InputError("flag has no meaning here", where=f"--{flag.name}", expected="--help")


def announce_demo() -> None:
    """Says that there is no real data; every recipe's first line then."""
    _LOG.info("no --data_dir: running on the embedded demo corpus, at demo scale")


def folders() -> tuple[Corpus, Path | None, str]:
    """The development corpus, the evaluation folder and a name for them, as the flags say.

    Without `--data_dir` this is the demo corpus, made when it is not there yet.
    """
    if DATA_DIR.value is None:
        announce_demo()
        with progress_bar("making the demo corpus", "clip") as show:
            demo = write_demo_corpus(Path(CACHE_DIR.value) / "demo", progress=show)
        return read_corpus(demo.development), demo.evaluation, "demo"
    development = Path(DATA_DIR.value)
    evaluation = Path(EVALUATION_DIR.value) if EVALUATION_DIR.value else None
    return read_corpus(development, SCENES.value), evaluation, development.resolve().name


def run_split(split: int, system: str, published: dict[str, Any], demo: dict[str, Any]) -> None:
    """One system on one split, as the flags say, and its package.

    Args:
        split: percentage of the training list.
        system: a key of `SYSTEMS`.
        published: hyper-parameters with `--data_dir`.
        demo: hyper-parameters on the demo corpus.
    """
    card = read_author_card(AUTHOR_CARD.value)
    corpus, evaluation, name = folders()
    responses = impulse_responses()
    plan = _plan(system, published, demo)
    run_dir = Path(OUTPUT_DIR.value or f"runs/{name}/split{split}-{system}-seed{plan.seed}")
    data = load_data(corpus, split, evaluation, Path(CACHE_DIR.value) / "stores")
    ensemble = teachers(data, plan)
    run = pipeline.run_split(
        run_dir,
        plan,
        data,
        ensemble=ensemble,
        impulse_responses=responses,
        formats=TFLITE_FORMATS.value or FORMATS,
        aware=AwarePlan(epochs=QAT_EPOCHS.value) if QAT_EPOCHS.value else None,
    )
    print(run_summary(run_dir))
    print(f"\nreport: {run_dir / REPORT}\n{stages.provenance(run_dir)}")
    if evaluation:
        package = assemble(
            run_dir / "submission",
            card,
            [handed_in(system, [run])],
            scenes=corpus.scenes,
            devices=corpus.devices,
            evaluation_filenames=data.evaluation,
        )
        print(f"package of this split alone, validated: {package}")


def _plan(name: str, published: dict[str, Any], demo: dict[str, Any]) -> StudentPlan:
    """A system's trainings: its recipe's hyper-parameters, then what the flags say."""
    system, settings, factor = SYSTEMS[name], published, PRUNED_EPOCHS_FACTOR
    architecture = system.architecture
    if DATA_DIR.value is None:
        settings, factor = demo, DEMO_PRUNED_EPOCHS_FACTOR
        architecture = system.demo_architecture
    if system.rounds:
        settings = settings | {"epochs": round(factor * settings["epochs"])}
    settings = settings | given_settings() | given_distillation()
    epochs, rounds = rounds_of(name, settings.pop("epochs"))
    return StudentPlan(
        architecture=architecture, rounds=rounds, epochs=epochs, seed=SEED.value, **settings
    )


def given_settings() -> dict[str, Any]:
    """The hyper-parameters that flags set."""
    given = {
        "epochs": EPOCHS.value,
        "batch_size": BATCH_SIZE.value,
        "accumulation": ACCUMULATION.value,
        "learning_rate": LEARNING_RATE.value,
        "validation_fraction": VALIDATION_FRACTION.value,
    }
    if IMPULSE_RESPONSES.value:
        given["impulse_response_probability"] = IMPULSE_RESPONSE_PROBABILITY.value
    return _without_none(given)


def given_distillation() -> dict[str, Any]:
    """What the flags say of the loss with teachers."""
    return _without_none({"label_weight": LABEL_WEIGHT.value, "temperature": TEMPERATURE.value})


def _without_none(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def teachers(data: Data, plan: StudentPlan) -> Ensemble | None:
    """The ensemble that the flag names, checked for these clips."""
    if not TEACHERS.value:
        return None
    return read_ensemble(
        Path(TEACHERS.value),
        split=data.split,
        scenes=data.scenes,
        filenames=data.train.clips.filenames,
        validation_fraction=plan.validation_fraction,
    )


def impulse_responses() -> ImpulseResponses | None:
    """Those of the folder that the flag names."""
    return read_impulse_responses(IMPULSE_RESPONSES.value) if IMPULSE_RESPONSES.value else None


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
