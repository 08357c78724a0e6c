"""What the challenge recipes share: flags, the demo corpus, the package. Not a recipe itself."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Literal

from absl import flags

from dcase_system import pipeline
from dcase_system.audio.impulse_responses import ImpulseResponses, read_impulse_responses
from dcase_system.corpora.corpus import Corpus, read_corpus
from dcase_system.corpora.demo import write_demo_corpus
from dcase_system.data import load_data
from dcase_system.distillation.ensemble_store import read_ensemble
from dcase_system.progress import progress_bar
from dcase_system.reporting.summary import run_summary
from dcase_system.student import PruningRound, StudentPlan
from dcase_system.submission.assemble import HandedInRun, HandedInSystem, assemble
from dcase_system.submission.card import read_author_card
from dcase_system.submission.meta import SystemDescription

_LOG = logging.getLogger("dcase_system.recipes")


@dataclass(frozen=True)
class System:
    """One of the systems of the report: a width to begin with, and how it is pruned.

    Attributes:
        architecture: name in the registry.
        rounds: (ratio, schedule) of each round of pruning.
        adaptations: what sets it apart, for the meta file.
    """

    architecture: str
    rounds: tuple[tuple[float, Literal["agp", "linear"]], ...]
    adaptations: str


# SJTU-THU's report, table 1; ratios from the authors' masks. S2 as handed in is over 128,000 bytes
# at float16; S2c is the same a little further pruned.
SYSTEMS = {
    "dense": System("sscp_mobile_32", (), "SSCP-Mobile at base width 32, not pruned"),
    "S1": System("sscp_mobile_64", ((0.5, "agp"),), "AGP pruning from base width 64"),
    "S2": System("sscp_mobile_96", ((0.67, "linear"),), "linear pruning from base width 96"),
    "S2c": System("sscp_mobile_96", ((0.6735, "linear"),), "linear pruning from base width 96"),
    "S3": System(
        "sscp_mobile_96",
        ((0.34, "agp"), (0.51, "agp")),
        "progressive AGP pruning from base width 96 over 64",
    ),
}
_DESCRIPTION = SystemDescription(
    input_sampling_rate="32kHz",
    acoustic_features="log-mel energies",
    data_augmentation="freq-mixstyle, time rolling, frequency masking",
    machine_learning_method="CNN",
    external_data_usage=None,
    complexity_management="precision_16, network design",
    pipeline="train student",
)
# A pruned system trains three times or five: wide, pruned, tuned. Its epochs are shared out so. The
# default is 2.5 times a dense one's: the authors' checkpoints show as many epochs of tuning alone.
_SHARES: dict[int, tuple[float, ...]] = {
    0: (1.0,),
    1: (0.4, 0.2, 0.4),
    2: (0.3, 0.15, 0.1, 0.15, 0.3),
}
_PRUNED_EPOCHS_FACTOR = 2.5

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
BATCH_SIZE = flags.DEFINE_integer("batch_size", None, "Clips a training step.", lower_bound=2)
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


def folders() -> tuple[Corpus, Path | None, str]:
    """The development corpus, the evaluation folder and a name for them, as the flags say.

    Without `--data_dir` this is the demo corpus, made when it is not there yet.
    """
    if DATA_DIR.value is None:
        _LOG.info("no --data_dir: running on the embedded demo corpus, at demo scale")
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
    settings = published if DATA_DIR.value else demo
    if SYSTEMS[system].rounds:
        settings = settings | {"epochs": round(_PRUNED_EPOCHS_FACTOR * settings["epochs"])}
    distillation = {"label_weight": LABEL_WEIGHT.value, "temperature": TEMPERATURE.value}
    settings = settings | given_settings() | _without_none(distillation)
    epochs, rounds = rounds_of(SYSTEMS[system], settings.pop("epochs"))
    plan = StudentPlan(
        architecture=SYSTEMS[system].architecture,
        rounds=rounds,
        epochs=epochs,
        seed=SEED.value,
        **settings,
    )
    run_dir = Path(OUTPUT_DIR.value or f"runs/{name}/split{split}-{system}-seed{plan.seed}")
    data = load_data(corpus, split, evaluation, Path(CACHE_DIR.value) / "stores")
    ensemble = None
    if TEACHERS.value:
        ensemble = read_ensemble(
            Path(TEACHERS.value),
            split=split,
            scenes=corpus.scenes,
            filenames=data.train.clips.filenames,
            validation_fraction=plan.validation_fraction,
        )
    run = pipeline.run_split(run_dir, plan, data, ensemble=ensemble, impulse_responses=responses)
    print(run_summary(run.scores, run.complexity))
    print(f"\nrun directory: {run_dir}")
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


def rounds_of(system: System, total_epochs: int) -> tuple[int, tuple[PruningRound, ...]]:
    """Epochs of the first training, and the rounds of pruning after it; one epoch at least each."""
    ends = [round(part * total_epochs) for part in accumulate(_SHARES[len(system.rounds)])]
    first, *others = [max(1, end - begin) for begin, end in pairwise([0, *ends])]
    rounds = tuple(
        PruningRound(ratio=ratio, schedule=schedule, epochs=epochs, tuning_epochs=tuning)
        for (ratio, schedule), epochs, tuning in zip(
            system.rounds, others[::2], others[1::2], strict=True
        )
    )
    return first, rounds


def given_settings() -> dict[str, Any]:
    """The hyper-parameters that flags set."""
    given = {
        "epochs": EPOCHS.value,
        "batch_size": BATCH_SIZE.value,
        "learning_rate": LEARNING_RATE.value,
        "validation_fraction": VALIDATION_FRACTION.value,
    }
    if IMPULSE_RESPONSES.value:
        given["impulse_response_probability"] = IMPULSE_RESPONSE_PROBABILITY.value
    return _without_none(given)


def _without_none(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def impulse_responses() -> ImpulseResponses | None:
    """Those of the folder that the flag names."""
    return read_impulse_responses(IMPULSE_RESPONSES.value) if IMPULSE_RESPONSES.value else None


def handed_in(system: str, runs: Sequence[pipeline.SplitRun]) -> HandedInSystem:
    """A system's finished runs, one a split, as the package takes them."""
    return HandedInSystem(
        system,
        _described(system, runs[0].settings),
        {
            run.split: HandedInRun(
                run.scores["forms"][run.scores["submitted_form"]], run.output, run.complexity
            )
            for run in runs
            if run.output is not None
        },
    )


def _described(system: str, settings: Mapping[str, Any]) -> SystemDescription:
    """A system with what a run of it has used."""
    augmentation, complexity = _DESCRIPTION.data_augmentation, _DESCRIPTION.complexity_management
    pipeline_tags = ["train student"]
    if settings["plan"]["impulse_response_probability"]:
        augmentation = f"{augmentation}, dir augmentation"
    if settings["plan"]["rounds"]:
        complexity = f"pruning, {complexity}"
        pipeline_tags.append("prune student")
    if settings["teachers"]:
        complexity = f"knowledge distillation, {complexity}"
        pipeline_tags = ["train teachers", "ensemble teachers", *pipeline_tags]
        pipeline_tags[-1] += " using knowledge distillation"
    return replace(
        _DESCRIPTION,
        data_augmentation=augmentation,
        complexity_management=complexity,
        external_data_usage=", ".join(settings["external_data"]) or None,
        pipeline=", ".join(pipeline_tags),
        system_adaptations=SYSTEMS[system].adaptations,
    )
