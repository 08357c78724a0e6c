"""A step of the supernet of students: what ordinary students would compute on the same batch."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.distillation.alpha_divergence import AlphaDivergence
from dcase_system.distillation.losses import DistillationLoss, pack_targets
from dcase_system.models import registry
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.extract import extract
from dcase_system.supernet.mobile_space import MobileSpace
from dcase_system.supernet.plans import SamplingPlan
from dcase_system.supernet.sampling import WidthSampler
from dcase_system.three_ways.elastic_student import ElasticStudent
from dcase_system.training import seeds
from dcase_system.training.augmented import augmented_model
from tests.supernet.networks import FRONT_END
from tests.toys import toy_student

SAMPLES, CLIPS = 3_200, 4
BASE = replace(toy_student(), classes=3, input_shape=(16, FRONT_END.frames(SAMPLES)))
SPACE = MobileSpace(BASE, (0.5, 1.0))
GENERATOR = np.random.default_rng(0)
WAVEFORMS = GENERATOR.normal(0, 0.1, (CLIPS, SAMPLES)).astype(np.float32)
LABELS, STORED, ANSWERS = np.eye(3)[[0, 1, 2, 0]], *GENERATOR.normal(size=(2, CLIPS, 3))
SANDWICH = {"samples": 2, "sampling": "sandwich"}


@pytest.mark.parametrize(
    ("plan", "consistent"),
    [
        (SamplingPlan(**SANDWICH), False),
        (SamplingPlan(**SANDWICH, in_place=True), True),
        (SamplingPlan(**SANDWICH, in_place=True, divergence=AlphaDivergence()), True),
    ],
    ids=["stored", "in place, consistent", "clipped, consistent"],
)
def test_a_step_is_the_mean_over_students_that_see_one_batch(plan, consistent):
    seeds.set_seed(0)
    network = registry.build(BASE)
    supernet = ElasticNetwork(BASE, network)
    students = [extract(supernet, spec) for spec in (BASE, SPACE.smallest)]
    student = augmented_model(
        network,
        FRONT_END,
        SAMPLES,
        roll_seconds=0.0,
        mask_mels=0,
        mask_frames=0,
        mixstyle_probability=0.0,
        mixstyle_alpha=0.3,
        seed=0,
    )
    teachers = (lambda heard: tf.constant(ANSWERS, tf.float32)) if consistent else None
    model = ElasticStudent(supernet, student, plan, WidthSampler(SPACE.choices, 0), teachers)
    loss = DistillationLoss()
    model.compile(keras.optimizers.SGD(0.0), loss)
    features = model.augmentation(WAVEFORMS)[1]
    largest, smallest = (one(features, training=True) for one in students)
    targets = pack_targets(LABELS, ANSWERS if consistent else STORED)
    expected = [loss.call(targets, largest)]
    if plan.divergence is not None:
        expected.append(plan.divergence(largest, smallest))
    else:
        taught = pack_targets(LABELS, largest) if plan.in_place else targets
        expected.append(loss.call(taught, smallest))
    given = tf.constant(pack_targets(LABELS, STORED))
    found = model.train_step((tf.constant(WAVEFORMS), given))["loss"]
    assert float(found) == pytest.approx(float(np.mean(expected)), rel=1e-5)
    np.testing.assert_allclose(model(WAVEFORMS), student(WAVEFORMS), atol=1e-6)
