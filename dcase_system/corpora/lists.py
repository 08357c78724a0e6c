"""The lists of a run, read and compared with each other before any clip is decoded."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dcase_system.core.files import fingerprint
from dcase_system.core.locations import Location
from dcase_system.corpora.corpus import (
    TEST_LIST,
    Clips,
    Corpus,
    read_evaluation,
    split_name,
)
from dcase_system.corpora.overlap import check_apart, check_evaluation

_LOG = logging.getLogger(__name__)


class HasKey(Protocol):
    """An object whose key changes with its source files."""

    @property
    def key(self) -> str: ...


# Clips hold arrays, which have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of a run, read and checked; no clip is decoded yet.

    Attributes:
        corpus: Development clips.
        train: Training clips.
        test: Dev-test clips.
        validation: Clips for a choice after training, or None.
        evaluation_root: Folder of the unlabelled evaluation clips, or None.
        evaluation: Names of the evaluation clips.
        evaluation_devices: Device of each evaluation clip; empty if their list names none.
        warnings: Warnings about the lists, one per line, for the record and the report.
    """

    corpus: Corpus
    train: Clips
    test: Clips
    validation: Clips | None = None
    evaluation_root: Location | None = None
    evaluation: tuple[str, ...] = ()
    evaluation_devices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def record(self) -> dict[str, Any]:
        """Description that identifies these lists in the record of a run."""
        lists = {"train": self.train, "test": self.test}
        if self.validation is not None:
            lists["validation"] = self.validation
        return {
            "scenes": self.corpus.scenes,
            "clips": {name: _in_short(*_columns(clips)) for name, clips in lists.items()},
            "evaluation": {"clips": _in_short(self.evaluation)} if self.evaluation_root else None,
            "warnings": self.warnings,
        }

    def record_with(self, train: HasKey, test: HasKey, evaluation: HasKey | None) -> dict[str, Any]:
        """Returns the record with the keys of the decoded audio: names alone do not identify it."""
        record = self.record
        record["clips"] |= {"train_audio": train.key, "test_audio": test.key}
        if evaluation is not None:
            record["evaluation"] |= {"audio": evaluation.key}
        return record

    def log_warnings(self) -> None:
        """Logs the warnings about the lists."""
        for warning in self.warnings:
            _LOG.warning("%s", warning)


def read_lists(
    corpus: Corpus,
    evaluation: Location | None = None,
    *,
    train: str,
    test: str = TEST_LIST,
    validation: str | None = None,
) -> Lists:
    """Reads the lists of a run.

    Args:
        corpus: Development clips.
        evaluation: Folder of the unlabelled evaluation clips, or None.
        train: File name of the training list, such as `split5.csv`.
        test: File name of the dev-test list.
        validation: File name of a list of clips for a choice after training, if any.

    Raises:
        InputError: A list is invalid, or a training clip is also in another list.
    """
    trained, scored = corpus.listed(train), corpus.listed(test)
    listed, devices = read_evaluation(evaluation) if evaluation else ((), ())
    warnings = check_apart(trained, scored, train, test)
    chosen = corpus.listed(validation) if validation else None
    if chosen is not None:
        warnings += check_apart(trained, chosen, train, validation)
        warnings += check_apart(chosen, scored, validation, test)
    if evaluation:
        check_evaluation(corpus.root, trained.filenames, evaluation, listed, train)
    return Lists(corpus, trained, scored, chosen, evaluation, listed, devices, warnings)


def read_split(corpus: Corpus, split: int, evaluation: Location | None = None) -> Lists:
    """Reads the lists of a split of the challenge, see `read_lists`."""
    return read_lists(corpus, evaluation, train=split_name(split))


def _in_short(*columns: Sequence) -> str:
    return f"{len(columns[0]):,} clips, {fingerprint(columns)[:12]}"


def _columns(clips: Clips) -> list[Sequence]:
    return [clips.filenames, clips.labels.tolist(), clips.locations, clips.devices]
