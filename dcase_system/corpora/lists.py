"""The lists of a run, read and held against each other before any clip is decoded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dcase_system.core.files import fingerprint
from dcase_system.core.places import Place
from dcase_system.corpora.corpus import (
    TEST_LIST,
    Clips,
    Corpus,
    read_evaluation_list,
    split_name,
)
from dcase_system.corpora.overlap import check_apart, check_evaluation

_LOG = logging.getLogger(__name__)


class HasKey(Protocol):
    """What changes its key with the files that it was made of."""

    @property
    def key(self) -> str: ...


# Clips hold arrays, which have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of a run, read and checked; no clip is decoded yet.

    Attributes:
        corpus: development clips.
        train: the training clips.
        test: the clips that are scored.
        evaluation_root: folder of the unlabelled evaluation clips, or None.
        evaluation: their names.
        warnings: what to mind about the lists, a line each; for the record and the report.
    """

    corpus: Corpus
    train: Clips
    test: Clips
    evaluation_root: Place | None = None
    evaluation: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """What tells these lists from others, for the record of a run."""
        return {
            "scenes": self.corpus.scenes,
            "clips": {
                "train": _in_short(*_columns(self.train)),
                "test": _in_short(*_columns(self.test)),
            },
            "evaluation": {"clips": _in_short(self.evaluation)} if self.evaluation_root else None,
            "warnings": self.warnings,
        }

    def record_with(self, train: HasKey, test: HasKey, evaluation: HasKey | None) -> dict[str, Any]:
        """The record of the lists and of what was decoded for each: names do not tell all."""
        record = self.record
        record["clips"] |= {"train_audio": train.key, "test_audio": test.key}
        if evaluation is not None:
            record["evaluation"] |= {"audio": evaluation.key}
        return record

    def log_warnings(self) -> None:
        """Logs what to mind about the lists."""
        for warning in self.warnings:
            _LOG.warning("%s", warning)


def read_lists(
    corpus: Corpus, evaluation: Place | None = None, *, train: str, test: str = TEST_LIST
) -> Lists:
    """Reads the lists of a run.

    Args:
        corpus: development clips.
        evaluation: folder of the unlabelled evaluation clips, or None.
        train: file name of the training list, such as `split5.csv`.
        test: file name of the list that is scored.

    Raises:
        InputError: a list is not as expected, or a clip that is trained on is scored or predicted.
    """
    trained, scored = corpus.listed(train), corpus.listed(test)
    listed = read_evaluation_list(evaluation) if evaluation else ()
    warnings = check_apart(trained, scored, train, test)
    if evaluation:
        check_evaluation(corpus.root, trained.filenames, evaluation, listed, train)
    return Lists(corpus, trained, scored, evaluation, listed, warnings)


def read_split(corpus: Corpus, split: int, evaluation: Place | None = None) -> Lists:
    """`read_lists` of a split of the challenge."""
    return read_lists(corpus, evaluation, train=split_name(split))


def _in_short(*columns: Sequence) -> str:
    return f"{len(columns[0]):,} clips, {fingerprint(columns)[:12]}"


def _columns(clips: Clips) -> list[Sequence]:
    return [clips.filenames, clips.labels.tolist(), clips.locations, clips.devices]
