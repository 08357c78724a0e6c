import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax as over_all

from dcase_system.distillation.losses import (
    DistillationLoss,
    MultiLabelDistillationLoss,
    PackedAccuracy,
    pack_targets,
)
from dcase_system.training.mixup import mixed
from dcase_system.training.plan import label_loss


def softmax(logits: np.ndarray) -> np.ndarray:
    return over_all(logits.astype(np.float64), axis=-1)


def case(seed: int, clips: int = 6, classes: int = 10):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, clips)
    student, teacher = generator.normal(0, 3, (2, clips, classes)).astype(np.float32)
    return np.eye(classes, dtype=np.float32)[labels], teacher, student


WEIGHTS, PARTNERS = np.array([0.0, 0.1, 0.3, 0.5, 0.8, 1.0], np.float32), [3, 2, 5, 0, 4, 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0.5, 8))
def test_distillation_loss_is_its_formula(seed, weight, temperature):
    one_hot, teacher, student = case(seed)
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    divergence = (p * (np.log(p) - np.log(q))).mean()  # over batch and classes
    cross_entropy = -(one_hot * np.log(softmax(student))).sum(axis=1).mean()
    expected = weight * cross_entropy + (1 - weight) * temperature**2 * divergence
    loss = DistillationLoss(weight, temperature)(pack_targets(one_hot, teacher), student)
    assert float(loss) == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(
    "loss", [DistillationLoss(0.1, 3.0, label_smoothing=0.2), MultiLabelDistillationLoss()]
)
def test_the_loss_of_a_mixture_is_the_mixture_of_the_losses(loss):
    """Up to a constant of the targets, so their difference between two students is the same."""
    one_hot, teacher, student = case(7)
    targets, other = pack_targets(one_hot, 20 * teacher), student[::-1]
    both = loss.mixed(targets, WEIGHTS, PARTNERS)
    np.testing.assert_allclose(both[:, 0], mixed(one_hot, WEIGHTS, PARTNERS), rtol=1e-6)

    def difference(of):
        return loss.call(of, student) - loss.call(of, other)

    own, partners = difference(targets), difference(targets[PARTNERS])
    expected = WEIGHTS * own + (1 - WEIGHTS) * partners
    np.testing.assert_allclose(difference(both), expected, rtol=1e-4, atol=1e-4)


def test_smoothed_labels_are_spread_over_the_classes():
    one_hot, teacher, student = case(8)
    smooth = DistillationLoss(1.0, label_smoothing=0.2)(pack_targets(one_hot, teacher), student)
    expected = -((0.8 * one_hot + 0.02) * np.log(softmax(student))).sum(axis=1).mean()
    assert float(smooth) == pytest.approx(expected, rel=1e-5)
    assert float(label_loss(False, 0.2)(one_hot, student)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.torch
def test_distillation_loss_is_pytorchs():
    import torch
    from torch.nn import functional

    one_hot, teacher, student = case(1)
    t, s = torch.from_numpy(teacher), torch.from_numpy(student)
    divergence = functional.kl_div(
        functional.log_softmax(s / 2, -1),
        functional.log_softmax(t / 2, -1),
        log_target=True,
        reduction="none",
    ).mean()
    cross_entropy = functional.cross_entropy(s, torch.from_numpy(one_hot.argmax(1)))
    expected = 0.02 * cross_entropy + 0.98 * 4 * divergence
    loss = DistillationLoss()(pack_targets(one_hot, teacher), student)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_a_student_that_equals_its_teacher_has_no_divergence():
    one_hot, teacher, _ = case(2)
    assert float(
        DistillationLoss(0.0, 2.0)(pack_targets(one_hot, teacher), teacher)
    ) == pytest.approx(0.0, abs=1e-6)


def test_with_weight_one_it_is_cross_entropy():
    one_hot, teacher, student = case(3)
    plain = keras.losses.CategoricalCrossentropy(from_logits=True)(one_hot, student)
    assert float(DistillationLoss(1.0)(pack_targets(one_hot, teacher), student)) == pytest.approx(
        float(plain), rel=1e-5
    )


def test_multi_label_loss_is_its_formula():
    one_hot, teacher, student = case(4)
    p, q = 1 / (1 + np.exp(-teacher)), 1 / (1 + np.exp(-student))
    expected = -(p * np.log(q) + (1 - p) * np.log(1 - q)).mean()
    assert float(
        MultiLabelDistillationLoss()(pack_targets(one_hot, teacher), student)
    ) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", [DistillationLoss(0.1, 3.0, 0.2), MultiLabelDistillationLoss()])
def test_losses_survive_their_config(loss):
    one_hot, teacher, student = case(5)
    again = type(loss).from_config(loss.get_config())
    targets = pack_targets(one_hot, teacher)
    assert float(again(targets, student)) == float(loss(targets, student))


def test_packed_accuracy_reads_the_labels():
    one_hot, teacher, student = case(6)
    metric = PackedAccuracy()
    metric.update_state(pack_targets(one_hot, teacher), student)
    assert float(metric.result()) == pytest.approx((student.argmax(1) == one_hot.argmax(1)).mean())
