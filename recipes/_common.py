"""Shared by the recipes: clips, teachers and student costs, all read from the flags.

Not a recipe itself. It imports TensorFlow, so recipes import it only after their flags have been
validated.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from dcase_system.audio.clips import SAMPLE_RATE
from dcase_system.audio.impulse_responses import ImpulseResponses, read_impulse_responses
from dcase_system.challenge.description import described
from dcase_system.challenge.finished import SplitRun
from dcase_system.challenge.members import DEMO, DEMO_MEMBERS
from dcase_system.challenge.student import costs
from dcase_system.challenge.student.plan import (
    PUBLISHED,
    STUDENT,
    StudentPlan,
    named_front_end,
    plan_in_words,
)
from dcase_system.challenge.systems import DEMO_EPOCHS, SYSTEMS, PruningOptions, planned
from dcase_system.challenge.teachers import missing_weights, teacher_plans
from dcase_system.core.locations import Location, as_location
from dcase_system.core.progress import progress_bar
from dcase_system.corpora.corpus import Corpus, read_corpus
from dcase_system.corpora.demo import DemoCorpus, write_demo_corpus
from dcase_system.corpora.demo_marker import is_demo
from dcase_system.corpora.lists import Lists
from dcase_system.distillation.ensemble_store import Ensemble, read_ensemble
from dcase_system.distillation.plan import TeacherPlan
from dcase_system.models import registry
from dcase_system.pruning.rounds import PruningRound
from dcase_system.sounds.demo import GROUPS, write_demo_folders
from dcase_system.sounds.prepare import prepare
from dcase_system.sounds.recordings import find_recordings
from dcase_system.sounds.summary import as_text
from dcase_system.submission.assemble import SubmittedRun, SubmittedSystem
from dcase_system.submission.card import AuthorCard, read_author_card
from dcase_system.submission.placeholders import refuse_placeholders
from dcase_system.training.batches import epochs_of
from dcase_system.training.plan import held_out_rows
from recipes._flags import LOG, given, set_defaults

FLAGS = flags.FLAGS


def folders(name: str, write: Callable[..., DemoCorpus]) -> tuple[Location, Location | None, str]:
    """Returns the development folder, the evaluation folder and a name for them.

    Args:
        name: Name of the demo corpus, used without `--data_dir`.
        write: Creates the demo corpus if it does not exist.
    """
    if FLAGS.data_dir is None:
        with progress_bar("making the demo corpus", "clip") as show:
            demo = write(Path(FLAGS.cache_dir) / name, progress=show)
        return demo.development, demo.evaluation, name
    root, evaluation = as_location(FLAGS.data_dir), getattr(FLAGS, "evaluation_dir", None)
    return root, as_location(evaluation) if evaluation else None, root.resolve().name


def scenes() -> tuple[Corpus, Location | None, str]:
    """Returns the corpus in TAU's layout, the evaluation folder and a name for them."""
    root, evaluation, name = folders("demo", write_demo_corpus)
    return read_corpus(root, FLAGS.scenes), evaluation, name


def demo_recordings() -> Path:
    """Returns the folder of recordings made of the demo corpus."""
    development, *_ = folders("demo", write_demo_corpus)
    folder = Path(FLAGS.cache_dir) / "demo-recordings"
    write_demo_folders(development, folder)
    return folder


def prepared(
    corpus: Path, source: Path, group_pattern: str | None, unit: str, **settings: Any
) -> dict[str, Any]:
    """Prepares a corpus from recordings, prints its summary and returns it.

    Args:
        corpus: Folder of the corpus.
        source: Folder or table of the recordings, see `find_recordings`.
        group_pattern: See `find_recordings`; the demo's own without `--data_dir`.
        unit: What a recording is called in the progress.
        settings: Further arguments of `prepare`.
    """
    pattern = group_pattern if FLAGS.data_dir else GROUPS
    root, recordings = find_recordings(source, pattern)
    with progress_bar(f"reading {unit}s", unit) as show:
        summary = prepare(corpus, root, recordings, **settings, on_progress=show)
    print(f"{as_text(summary)}\n\nwindows and lists: {corpus}\n", flush=True)
    return summary


def stores() -> Path:
    """Returns the folder of the waveform stores."""
    return Path(FLAGS.cache_dir) / "stores"


def impulse_responses() -> ImpulseResponses | None:
    """Reads the impulse responses that the flag names, if any."""
    return read_impulse_responses(FLAGS.impulse_responses) if FLAGS.impulse_responses else None


def augmentation() -> dict[str, Any]:
    """Returns the settings of the device augmentation for a plan."""
    return given("impulse_response_probability") if FLAGS.impulse_responses else {}


def author_card(systems: Sequence[str], root: Location | None) -> AuthorCard:
    """Reads the author card that the flag names.

    Args:
        systems: Keys of the submitted systems.
        root: Folder of the clips of the package; None without a package.

    Raises:
        InputError: The card is invalid, or it holds placeholders and the clips are not the demo's.
    """
    path = FLAGS.author_card
    card = read_author_card(path)
    if root is not None and not is_demo(root):
        refuse_placeholders(card, path, systems)
    return card


def total_epochs(lists: Lists) -> int:
    """Returns the total epochs of a student: as many as `--steps` needs, or `--epochs`."""
    if FLAGS.steps is None:
        return FLAGS.epochs
    clips = trained_clips(lists, FLAGS.validation_fraction)
    return epochs_of(FLAGS.steps, clips, FLAGS.batch_size)


def trained_clips(lists: Lists, validation_fraction: float) -> int:
    """Returns the number of training clips that are not held out."""
    return int((~held_out_rows(lists.train, validation_fraction)).sum())


def student_settings(architecture: str) -> dict[str, Any]:
    """Returns a student's hyper-parameters, except its network, epochs and pruning.

    Args:
        architecture: Name of its network in the registry.
    """
    front_end, mask_frames = named_front_end(FLAGS.front_end, architecture), FLAGS.mask_frames
    if not FLAGS["mask_frames"].present:  # by default the same time, however long a frame is
        mask_frames = round(mask_frames * PUBLISHED.hop_length / front_end.hop_length)
    own = {"front_end": front_end, "mask_frames": mask_frames} | augmentation()
    return own | given(
        "batch_size",
        "accumulation",
        "learning_rate",
        "validation_fraction",
        "label_weight",
        "temperature",
        "teaching",
        "average",
        "mixup_alpha",
        "label_smoothing",
        "ema_decay",
        "seed",
    )


def pruning_options() -> PruningOptions:
    """Returns the pruning options set by the flags."""
    width = getattr(FLAGS, "base_channels", None)
    return PruningOptions(
        base_channels=int(width) if width else None,
        schedule=getattr(FLAGS, "pruning_schedule", None),
        importance=FLAGS.importance,
        ratios=FLAGS.ratios,
        max_macs=FLAGS.target_macs,
        max_bytes=FLAGS.target_bytes,
    )


def check_system(system: str, corpus: Corpus, *, packed: bool) -> None:
    """Rejects what a system cannot do, before anything is trained.

    That is a front end that does not fit, limits that no pruning can meet, and quantization-aware
    training of layers that have none. Systems for a package must also meet its limits. Exceptions
    are the demo's systems, which always do, and systems that no package takes.

    Args:
        system: Key of `SYSTEMS`.
        corpus: Corpus that the system is trained on.
        packed: Whether the system will be submitted.
    """
    on_demo = FLAGS.data_dir is None
    trainings = planned(system, 1, pruning_options(), demo=on_demo)
    limited = packed and not on_demo and not SYSTEMS[system].not_packed
    check = costs.check_limits if limited else costs.final_costs
    check(
        trainings.architecture,
        [one for one in trainings.rounds if isinstance(one, PruningRound)],
        len(corpus.scenes),
        round(FLAGS.seconds * SAMPLE_RATE),
        named_front_end(FLAGS.front_end, trainings.architecture),
    )
    if FLAGS.qat_epochs:
        from dcase_system.edge.qat import check_layers  # imports tf_keras, which takes seconds

        check_layers(registry.build(registry.named_spec(trainings.architecture)))


def announce(run_dir: Path, plan: StudentPlan, lists: Lists) -> None:
    """Logs the plan of a student that is not trained yet."""
    if not (run_dir / STUDENT).exists():
        clips = trained_clips(lists, plan.validation_fraction)
        LOG.info("%s", plan_in_words(plan, clips))


def ensemble(lists: Lists, split: int, folder: Path) -> Ensemble:
    """Reads the teachers in a folder and checks that they match these clips."""
    return read_ensemble(
        folder,
        split=split,
        scenes=lists.corpus.scenes,
        filenames=lists.train.filenames,
        validation_fraction=getattr(FLAGS, "validation_fraction", 0.0),
    )


def teachers_folder(name: str, split: int) -> Path:
    """Returns the default folder of a split's teachers."""
    return Path(f"runs/{name}/teachers-seed{FLAGS.seed}/split_{split}")


def ensemble_plans(split: int, of_all: Mapping[str, Any]) -> list[TeacherPlan]:
    """Builds the teachers' plans of a split from the flags.

    Args:
        split: Size of the training list, in percent.
        of_all: Hyper-parameters that override the defaults of each kind of member.
    """
    if FLAGS.data_dir is None:
        set_defaults({"members": list(DEMO_MEMBERS)})
        of_all = {**DEMO, "epochs": DEMO_EPOCHS[split], **of_all}
    plans = teacher_plans(
        FLAGS.members,
        FLAGS.initial_weights,
        seed=FLAGS.seed,
        given=of_all,
        frozen=FLAGS.frozen,
        half_without_responses=FLAGS.half_without_responses,
        folds=FLAGS.folds,
        embedding_rate=FLAGS.embedding_rate,
        embedding_output=FLAGS.embedding_output,
    )
    if missing := missing_weights(plans):
        LOG.warning("%s", missing)
    return plans


def submitted(system: str, runs: Sequence[SplitRun]) -> SubmittedSystem:
    """Converts a system's finished runs, one per split, for the package."""
    return SubmittedSystem(
        system,
        described({run.split: run.settings for run in runs}),
        {
            run.split: SubmittedRun(
                run.scores["forms"][run.scores["submitted_form"]], run.output, run.complexity
            )
            for run in runs
            if run.output is not None
        },
    )
