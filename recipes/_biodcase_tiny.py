"""Implements `recipes.biodcase_tiny`."""

from pathlib import Path

from absl import flags

from dcase_system import runs
from dcase_system.audio.integer_mel import IntegerMelSpec
from dcase_system.biodcase.features import CLIP_SECONDS
from dcase_system.biodcase.run import TinyRun, run_tiny, settings_of
from dcase_system.biodcase.submitted import KERAS_FILE, TFLITE_FILE
from dcase_system.biodcase.training import TinyPlan
from dcase_system.core.files import fingerprint
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.lists import read_split
from dcase_system.reporting.biodcase_page import biodcase_summary
from dcase_system.reporting.html import REPORT
from dcase_system.runs import stages
from dcase_system.submission.biodcase import Description2026, System2026, assemble_biodcase
from dcase_system.submission.card import AuthorCard
from dcase_system.submission.validate_biodcase import CLASSES
from recipes import _common
from recipes._flags import given

FLAGS = flags.FLAGS
_SPLIT = 100
_TEST_FRACTION = 0.2


def run() -> None:
    """Prepares the clips, trains, scores the submitted files, and packs them."""
    plan, card = _plan(), None
    source = Path(FLAGS.data_dir) if FLAGS.data_dir else None
    if FLAGS.package:
        card = _common.author_card([plan.architecture], source)
    source = source or _common.demo_recordings()
    own = FLAGS.output_dir
    run_dir = Path(own or f"runs/{source.stem}/biodcase_tiny-{plan.architecture}-seed{plan.seed}")
    corpus, front_end = Path(f"{run_dir}-corpus"), IntegerMelSpec()
    runs.check(run_dir, settings_of(plan, front_end), overwrite=FLAGS.overwrite)
    _common.prepared(
        corpus,
        source,
        None,
        "clip",
        window_seconds=CLIP_SECONDS,
        hop_seconds=CLIP_SECONDS,
        test_fraction=_TEST_FRACTION,
        seed=FLAGS.seed,
        sample_rate=front_end.sample_rate,
    )
    lists = read_split(read_corpus(corpus), _SPLIT)
    key = fingerprint(stages.read_stage(corpus)["inputs"])  # the folder may move
    finished = run_tiny(run_dir, plan, lists, key, front_end, overwrite=FLAGS.overwrite)
    print(f"{biodcase_summary(run_dir)}\n\nreport: {run_dir / REPORT}")
    if card is not None:
        print(f"validated package: {_package(run_dir / 'submission', card, finished)}")


def _plan() -> TinyPlan:
    settings = given("architecture", "epochs", "batch_size", "learning_rate")
    settings |= given("mixup", "balanced", "seed")
    if not FLAGS.masks:
        settings |= {"mask_mels": 0, "mask_frames": 0}
    return TinyPlan(**settings)


def _package(folder: Path, card: AuthorCard, finished: TinyRun) -> Path:
    plan = finished.plan
    used = {"mixup": plan.mixup, "frequency and time masks": plan.mask_mels or plan.mask_frames}
    description = Description2026(
        data_augmentation=", ".join(name for name, is_used in used.items() if is_used) or None,
        model_architecture=f"CNN {plan.architecture}",
    )
    system = System2026(
        plan.architecture,
        description,
        finished.files / KERAS_FILE,
        finished.files / TFLITE_FILE,
        finished.results["measured"],
    )
    report = FLAGS.technical_report
    return assemble_biodcase(
        folder,
        card,
        [system],
        classes=finished.classes,
        coding_agents_used=FLAGS.coding_agents_used,
        technical_report=Path(report) if report else None,
        for_submission=finished.classes == CLASSES,
    )
