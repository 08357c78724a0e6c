"""Fills the waveform store of a corpus before a training, by several processes or machines.

    python -m dcase_system.audio.ingest --data_dir=TAU \\
        --evaluation_dir=EVALUATION
    python -m dcase_system.audio.ingest --data_dir=AUDIOSET --corpus=audioset \\
        --all_clips --writers=8

Recipes do the same by themselves, in one process. What is given here as --data_dir and --cache_dir
must be given to the recipe. The command may run on several machines at once that see both folders
under the same paths; interrupted, it goes on where it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from absl import app, flags

from dcase_system.audio.clips import mono_waveforms, stereo_waveforms
from dcase_system.audio.store import Waveforms
from dcase_system.audio.store.waveforms import StoredRows
from dcase_system.core import cli
from dcase_system.core.places import Place, place
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
    """How stores are filled.

    Attributes:
        stores: folder of the waveform stores, shared by all runs.
        seconds: length of a clip; by default that of the corpus.
        writers: processes that write together.
    """

    stores: Path
    seconds: float | None = None
    writers: int = 1

    def scenes(
        self, root: Place, evaluation: Place | None = None, lists: Sequence[str] = ()
    ) -> list[Waveforms]:
        """Clips in the layout of TAU 2022 Mobile: those of its lists, and unlabelled ones.

        Raises:
            InputError: a list or a clip is not as expected.
        """
        names = _listed(read_corpus(root), lists or _LISTS["scenes"])
        given = _with_evaluation(root, names, evaluation)
        seconds = self.seconds or _SECONDS["scenes"]
        return [
            mono_waveforms(self.stores, folder, clips, seconds=seconds, writers=self.writers)
            for folder, clips in given.items()
        ]

    def task1b(
        self, root: Place, evaluation: Place | None = None, lists: Sequence[str] = ()
    ) -> list[Waveforms]:
        """Stereo clips in the layout of TAU 2020 3Class: those of its lists, and unlabelled ones.

        Raises:
            InputError: a list or a clip is not as expected.
        """
        names = _listed(task1b.read_task1b(root), lists or _LISTS["task1b"])
        given = _with_evaluation(root, names, evaluation)
        form = task1b.SAMPLE_RATE, self.seconds or _SECONDS["task1b"]
        return [
            stereo_waveforms(self.stores, folder, clips, *form, writers=self.writers)
            for folder, clips in given.items()
        ]

    def audioset(self, root: Place, *, all_clips: bool = False, seed: int = 0) -> list[Waveforms]:
        """The clips of the supernet's recipe, in its order; then all others, if they are wanted.

        Args:
            root: a copy of AudioSet.
            all_clips: whether every clip that is there is wanted.
            seed: of the recipe's validation sample.

        Raises:
            InputError: a list or a clip is not as expected.
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
    root: Place, names: tuple[str, ...], evaluation: Place | None
) -> dict[Place, tuple[str, ...]]:
    return {root: names} | ({evaluation: read_evaluation_list(evaluation)} if evaluation else {})


def _listed(corpus: Corpus, lists: Sequence[str]) -> tuple[str, ...]:
    names = [name for one in lists for name in corpus.listed(one).filenames]
    return tuple(dict.fromkeys(names))


def main(_: Sequence[str]) -> None:
    options = flags.FLAGS
    of_audioset = options.corpus == "audioset"
    if of_audioset and (options.lists or options.evaluation_dir):
        raise app.UsageError("--lists and --evaluation_dir have no meaning with --corpus=audioset")
    if options.all_clips and not of_audioset:
        raise app.UsageError("--all_clips has a meaning with --corpus=audioset only")
    filling = Filling(Path(options.cache_dir) / "stores", options.seconds, options.writers)
    root = place(options.data_dir)
    evaluation = place(options.evaluation_dir) if options.evaluation_dir else None
    if of_audioset:
        filled = filling.audioset(root, all_clips=options.all_clips, seed=options.seed)
    else:
        fill = filling.scenes if options.corpus == "scenes" else filling.task1b
        filled = fill(root, evaluation, options.lists or ())
    for waveforms in filled:
        print(described(waveforms))


def described(waveforms: Waveforms) -> str:
    """One line: clips, bytes and folder."""
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
        "Layout of the corpus: that of TAU 2022 Mobile, AudioSet, or TAU 2020 3Class.",
    )
    flags.DEFINE_string(
        "evaluation_dir", None, "FOLDER: Unlabelled evaluation clips, of scenes or task1b."
    )
    flags.DEFINE_list(
        "lists",
        None,
        "FILE: Lists of the clips. [split100.csv,test.csv of scenes; "
        "fold1_train.csv,fold1_evaluate.csv of task1b]",
    )
    flags.DEFINE_bool(
        "all_clips", False, "Every clip of AudioSet that is there, beside those of the recipe."
    )
    flags.DEFINE_integer(
        "seed",
        0,
        "As of the recipe, whose validation clips of AudioSet it draws.",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "seconds",
        None,
        "SECONDS: Length of a clip. [1 of scenes, 10 of the others]",
        lower_bound=0.1,
    )
    flags.DEFINE_string("cache_dir", "data", "FOLDER: As of the recipe.")
    flags.DEFINE_integer(
        "writers",
        1,
        "PROCESSES: That decode, a core each; 1 stands for a thread a core.",
        lower_bound=1,
    )


if __name__ == "__main__":
    _define_flags()
    cli.run(main)
