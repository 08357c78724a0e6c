"""Implements `recipes.teachers`."""

from pathlib import Path

from absl import flags

from dcase_system import runs
from dcase_system.audio.clips import decoded
from dcase_system.challenge.teachers import memorised
from dcase_system.corpora.lists import read_split
from dcase_system.distillation.plan import settings_of
from dcase_system.distillation.teachers import train_member, train_teachers
from dcase_system.parallel import workers
from dcase_system.reporting.report import write_report
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.teachers_page import read_ensemble_tables
from recipes import _common
from recipes._flags import LOG, given

FLAGS = flags.FLAGS
_OF_ALL = (
    "epochs",
    "batch_size",
    "accumulation",
    "learning_rate",
    "mixup_alpha",
    "validation_fraction",
)


def run() -> None:
    """Trains the members and writes their report, or trains a single member."""
    workers.start(FLAGS.distribution)
    split, overwrite = int(FLAGS.split), FLAGS.overwrite
    plans = _common.ensemble_plans(split, given(*_OF_ALL) | _common.augmentation())
    responses = _common.impulse_responses()
    corpus, _, name = _common.scenes()
    run_dir = Path(FLAGS.output_dir or _common.teachers_folder(name, split))
    lists = read_split(corpus, split)
    runs.check(run_dir, settings_of(plans, split, lists.record, responses), overwrite=overwrite)
    data = decoded(lists, split, _common.stores(), seconds=FLAGS.seconds)
    if FLAGS.only:
        train_member(run_dir, plans, FLAGS.only, data, responses)
        return
    description = train_teachers(run_dir, plans, data, responses, overwrite=overwrite)
    print("\n\n".join(map(as_text, read_ensemble_tables(run_dir))))
    if warning := memorised(description):
        LOG.warning("%s", warning)
    print(f"\nteachers: {run_dir}\nreport: {write_report(run_dir)}")
