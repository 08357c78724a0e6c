"""The lists of a run, read and held against each other before any audio is."""

import logging
from dataclasses import dataclass

from dcase_system.corpora.corpus import TEST_LIST, Clips, Corpus, read_evaluation_list
from dcase_system.corpora.overlap import check_apart, check_evaluation
from dcase_system.places import Place

_LOG = logging.getLogger(__name__)


# Clips hold arrays, which have no single truth value, so the class cannot be compared with `==`.
@dataclass(frozen=True, eq=False)
class Lists:
    """The lists of a run.

    Attributes:
        train: training list.
        test: list that is scored.
        evaluation: names of the unlabelled evaluation clips, none without an evaluation set.
        warnings: what to mind about them, a line each; for the record and the report.
    """

    train: Clips
    test: Clips
    evaluation: tuple[str, ...]
    warnings: tuple[str, ...]

    def log_warnings(self) -> None:
        for warning in self.warnings:
            _LOG.warning("%s", warning)


def read_lists(
    corpus: Corpus, evaluation: Place | None, train_list: str, test_list: str = TEST_LIST
) -> Lists:
    """Reads the lists of a run, and no audio.

    Args:
        corpus: development clips.
        evaluation: folder of the unlabelled evaluation clips, or None.
        train_list: name of the training list, such as `split5.csv`.
        test_list: name of the list that is scored.

    Raises:
        InputError: a list is not as expected, or a clip that is trained on is scored or predicted.
    """
    train, test = corpus.listed(train_list), corpus.listed(test_list)
    listed = read_evaluation_list(evaluation) if evaluation else ()
    warnings = check_apart(train, test, train_list, test_list)
    if evaluation:
        check_evaluation(corpus.root, train.filenames, evaluation, listed, train_list)
    return Lists(train, test, listed, warnings)
