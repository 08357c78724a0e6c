"""Consistent teaching: the inputs of student and teachers, and the student's own parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.specs import LogMelSpec
from dcase_system.distillation.consistent import ConsistentTraining
from dcase_system.distillation.losses import DistillationLoss, PackedAccuracy, pack_targets
from dcase_system.models import registry
from dcase_system.training.augmented import augmented_model
from tests import toys

SAMPLES, CLASSES = 32_000, 10
WAVEFORMS = np.random.default_rng(0).normal(0, 0.1, (4, SAMPLES)).astype(np.float32)
LABELS = np.eye(CLASSES, dtype=np.float32)[:4]


class Recording:
    """Teachers with constant answers that record the waveforms they got."""

    def __init__(self):
        self.answer = tf.constant(np.random.default_rng(1).normal(size=(4, CLASSES)), tf.float32)
        self.heard = []

    def __call__(self, waveforms):
        self.heard.append(waveforms)
        return self.answer


@pytest.fixture(scope="module")
def student():
    return augmented_model(
        registry.build(toys.toy_student()),
        LogMelSpec(),
        SAMPLES,
        roll_seconds=0.1,
        mask_mels=48,
        mask_frames=0,
        mixstyle_probability=0.0,
        mixstyle_alpha=0.3,
        seed=3,
    )


def test_the_teachers_hear_the_rolled_waveforms_and_their_answers_are_the_targets(student):
    teachers = Recording()
    model = ConsistentTraining(student, teachers)
    fed = []

    def loss(targets, logits):
        fed.append(targets)
        return DistillationLoss()(targets, logits)

    model.compile("sgd", loss, jit_compile=False)
    targets = pack_targets(LABELS, np.full((4, CLASSES), np.nan))
    assert np.isfinite(float(model.train_step((WAVEFORMS, targets))["loss"]))
    np.testing.assert_array_equal(fed[0], pack_targets(LABELS, teachers.answer))
    (heard,) = teachers.heard
    shifts = []
    for one, clip in zip(heard.numpy(), WAVEFORMS, strict=True):
        (shift,) = np.flatnonzero(one == clip[0])
        np.testing.assert_array_equal(one, np.roll(clip, shift))
        shifts.append(shift)
    assert len(set(shifts)) > 1


def test_the_student_s_front_end_gets_what_the_teachers_hear(student):
    """Both draw one roll: the network's features are those of the very waveforms."""
    teachers, model = Recording(), None
    model = ConsistentTraining(student, teachers)
    front_end = next(layer for layer in student.layers if "log_mel" in layer.name)
    got, call = [], front_end.call
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(front_end, "call", lambda x: got.append(x) or call(x))
        model.compile("sgd", DistillationLoss(), jit_compile=False)
        model.train_step((WAVEFORMS, pack_targets(LABELS, LABELS)))
    np.testing.assert_array_equal(got[-1], teachers.heard[-1])


def test_nothing_but_the_student_is_trained_saved_or_run_outside_of_training(student):
    teachers = Recording()
    teachers.network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model = ConsistentTraining(student, teachers)
    for own, others in (
        (model.variables, student.variables),
        (model.trainable_variables, student.trainable_variables),
    ):
        assert {id(one) for one in own} == {id(one) for one in others}
    model.compile("sgd", DistillationLoss(), metrics=[PackedAccuracy()], jit_compile=False)
    np.testing.assert_array_equal(
        model(WAVEFORMS, training=False), student(WAVEFORMS, training=False)
    )
    assert teachers.heard == []
