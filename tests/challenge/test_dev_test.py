"""What is scored of clips with several labels."""

from types import SimpleNamespace

import numpy as np
import pytest

from dcase_system.audio.clips import ClipSet, Data
from dcase_system.challenge import dev_test
from dcase_system.challenge.student.plan import StudentPlan, signature_of
from dcase_system.corpora.corpus import Clips
from dcase_system.training.multilabel import mean_average_precision


@pytest.fixture
def data():
    labels = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0]], np.float32)
    names = tuple("abcd")
    clips = ClipSet(Clips(names, labels, names, ("m",) * 4), SimpleNamespace(shape=(32_000,)))
    return Data(("x", "y", "never"), 100, clips, clips, (), None, {})


def test_tags_are_scored_by_average_precision(data):
    values = np.array([[0.9, 0.2, 0.1], [0.3, 0.8, 0.1], [0.4, 0.7, 0.1], [0.1, 0.1, 0.1]])
    forms, others = dev_test._tag_scores(data, {dev_test.SUBMITTED_FORM: values})
    (form,) = forms.values()
    labels = data.test.clips.labels
    mean = mean_average_precision(values, labels)
    assert form["overall"] == {"map": mean, "chance": (2 / 4 + 3 / 4) / 2, "clips": 4}
    assert form["class_wise"] == {
        "x": {"average_precision": pytest.approx(1 / 2 + 1 / 2 * 2 / 3), "clips": 2},
        "y": {"average_precision": pytest.approx(2 / 3 + 1 / 3 * 3 / 4), "clips": 3},
    }
    low, high = others["intervals_95"]["overall"]
    assert 0 <= low <= form["overall"]["map"] <= high <= 1
    assert others["intervals_95"]["class_wise"]["never"] is None


def test_the_signature_says_that_several_labels_may_be_present(data):
    signature = signature_of(StudentPlan(architecture="sscp_mobile_32"), data)
    assert signature.activation == "sigmoid"
    np.testing.assert_array_equal(signature.probabilities(np.zeros((1, 3))), 0.5)
