"""Fills the waveform store of a corpus before training, with several processes or machines.

    python -m dcase_system.audio.ingest --data_dir=TAU \\
        --evaluation_dir=EVALUATION
    python -m dcase_system.audio.ingest --data_dir=AUDIOSET --corpus=audioset \\
        --all_clips --writers=8

Recipes do the same by themselves, in one process. Give the recipe the same --data_dir and
--cache_dir. The command may run at once on several machines that see both folders under the same
paths; if interrupted, run it again to resume.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from absl import app, flags

from dcase_system.audio.clips import mono_waveforms, stereo_waveforms
from dcase_system.audio.store import Waveforms
from dcase_system.audio.store.waveforms import StoredRows
from dcase_system.core import cli
from dcase_system.core.locations import Location, as_location
from dcase_system.corpora import task1b, tau
from dcase_system.corpora.audioset import PAPER_VALIDATION_CLIPS, read_audioset
from dcase_system.corpora.corpus import Corpus, read_corpus, read_evaluation_list

CORPORA = ("scenes", "audioset", "task1b")
_SECONDS = {"scenes": tau.CLIP_SECONDS, "audioset": 10.0, "task1b": task1b.CLIP_SECONDS}
_LISTS = {
    "scenes": ("split100.csv", "test.csv"),
    "task1b": (task1b.TRAIN_LIST, task1b.TEST_LIST),
}


@dataclass(frozen=True)
class Filling:
    """Settings for filling stores.

    Attributes:
        stores: Folder of the waveform stores, shared by all runs.
        seconds: Length of a clip in seconds; by default that of the corpus.
        writers: Number of processes that write at the same time.
    """

    stores: Path
    seconds: float | None = None
    writers: int = 1

    def scenes(
        self, root: Location, evaluation: Location | None = None, lists: Sequence[str] = ()
    ) -> list[Waveforms]:
        """Ingests clips in the TAU 2022 Mobile layout: those of its lists, and unlabelled ones.

        Raises:
            InputError: A list or a clip is invalid.
        """
        names = _listed(read_corpus(root), lists or _LISTS["scenes"])
        given = _with_evaluation(root, names, evaluation)
        seconds = self.seconds or _SECONDS["scenes"]
        return [
            mono_waveforms(self.stores, folder, clips, seconds=seconds, writers=self.writers)
            for folder, clips in given.items()
        ]

    def task1b(
        self, root: Location, evaluation: Location | None = None, lists: Sequence[str] = ()
    ) -> list[Waveforms]:
        """Ingests stereo clips in the TAU 2020 3Class layout: listed and unlabelled ones.

        Raises:
            InputError: A list or a clip is invalid.
        """
        names = _listed(task1b.read_task1b(root), lists or _LISTS["task1b"])
        given = _with_evaluation(root, names, evaluation)
        rate_and_length = task1b.SAMPLE_RATE, self.seconds or _SECONDS["task1b"]
        return [
            stereo_waveforms(self.stores, folder, clips, *rate_and_length, writers=self.writers)
            for folder, clips in given.items()
        ]

    def audioset(
        self, root: Location, *, all_clips: bool = False, seed: int = 0
    ) -> list[Waveforms]:
        """Ingests the clips of the supernet's recipe, in its order; then all others, if requested.

        Args:
            root: Copy of AudioSet.
            all_clips: Whether to ingest all clips of the copy.
            seed: Seed of the recipe's validation sample.

        Raises:
            InputError: A list or a clip is invalid.
        """
        audioset = read_audioset(root)
        lists = (
            audioset.balanced(),
            audioset.validation(PAPER_VALIDATION_CLIPS, seed),
            audioset.evaluation(),
        )
        names = [name for one in lists for name in one.clips.filenames]
        if all_clips:
            names += audioset.files.values()
        unique, seconds = tuple(dict.fromkeys(names)), self.seconds or _SECONDS["audioset"]
        return [
            mono_waveforms(
                self.stores, root, unique, seconds=seconds, exact=False, writers=self.writers
            )
        ]


def _with_evaluation(
    root: Location, names: tuple[str, ...], evaluation: Location | None
) -> dict[Location, tuple[str, ...]]:
    return {root: names} | ({evaluation: read_evaluation_list(evaluation)} if evaluation else {})


def _listed(corpus: Corpus, lists: Sequence[str]) -> tuple[str, ...]:
    names = [name for one in lists for name in corpus.listed(one).filenames]
    return tuple(dict.fromkeys(names))


def main(_: Sequence[str]) -> None:
    options = flags.FLAGS
    of_audioset = options.corpus == "audioset"
    if of_audioset and (options.lists or options.evaluation_dir):
        raise app.UsageError("--lists and --evaluation_dir do not apply to --corpus=audioset")
    if options.all_clips and not of_audioset:
        raise app.UsageError("--all_clips applies to --corpus=audioset only")
    filling = Filling(Path(options.cache_dir) / "stores", options.seconds, options.writers)
    root = as_location(options.data_dir)
    evaluation = as_location(options.evaluation_dir) if options.evaluation_dir else None
    if of_audioset:
        filled = filling.audioset(root, all_clips=options.all_clips, seed=options.seed)
    else:
        fill = filling.scenes if options.corpus == "scenes" else filling.task1b
        filled = fill(root, evaluation, options.lists or ())
    for waveforms in filled:
        print(described(waveforms))


def described(waveforms: Waveforms) -> str:
    """Formats one line: clips, bytes and folder."""
    rows = waveforms.samples
    assert isinstance(rows, StoredRows)
    return f"{len(waveforms):,} clips of {rows.row_bytes:,} bytes each: {rows.path.parent}"


def _define_flags() -> None:
    """Defines the flags of the command: only when it runs, as this module is also imported."""
    flags.DEFINE_string(
        "data_dir",
        None,
        "FOLDER: The corpus; a path or a URL, gs://bucket/TAU.",
        required=True,
    )
    flags.DEFINE_enum(
        "corpus",
        "scenes",
        CORPORA,
        "Layout of the corpus: TAU 2022 Mobile, AudioSet, or TAU 2020 3Class.",
    )
    flags.DEFINE_string(
        "evaluation_dir", None, "FOLDER: Unlabelled evaluation clips, of scenes or task1b."
    )
    flags.DEFINE_list(
        "lists",
        None,
        "FILE: Lists of the clips. [split100.csv,test.csv for scenes; "
        "fold1_train.csv,fold1_evaluate.csv for task1b]",
    )
    flags.DEFINE_bool(
        "all_clips", False, "Ingest all clips of the AudioSet copy, not only those of the recipe."
    )
    flags.DEFINE_integer(
        "seed",
        0,
        "Seed of the recipe, which determines its validation clips of AudioSet.",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "seconds",
        None,
        "SECONDS: Length of a clip. [1 for scenes, 10 for the others]",
        lower_bound=0.1,
    )
    flags.DEFINE_string("cache_dir", "data", "FOLDER: Same as for the recipe.")
    flags.DEFINE_integer(
        "writers",
        1,
        "PROCESSES: Number of decoding processes, one core each; 1 uses one thread per core.",
        lower_bound=1,
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main)
