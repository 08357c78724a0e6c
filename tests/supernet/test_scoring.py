"""Scores in one pass: as with all logits in memory."""

import numpy as np
import pytest
from scipy.special import softmax

from dcase_system.supernet.scoring import batched_average_precision, batched_macro_accuracy
from dcase_system.training.metrics import macro_score
from dcase_system.training.multilabel import mean_average_precision

GENERATOR = np.random.default_rng(0)
LOGITS = GENERATOR.normal(size=(50, 4)).astype(np.float32)


def test_macro_accuracy_in_one_pass():
    labels = GENERATOR.choice([0, 1, 3], size=50)  # class 2 does not occur
    expected = macro_score(softmax(LOGITS.astype(float), axis=-1), labels).accuracy
    assert batched_macro_accuracy(np.split(LOGITS, [20, 33]), labels) == pytest.approx(expected)


def test_average_precision_class_by_class():
    labels = (GENERATOR.random((50, 4)) < 0.3).astype(np.float32)
    labels[:, 2] = 0
    expected = mean_average_precision(LOGITS, labels)
    assert batched_average_precision(np.split(LOGITS, [20, 33]), labels) == pytest.approx(expected)
