"""Work in proportion to width: what a training step of a sub-network costs."""

import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.panns_mel import PannsMelSpec
from dcase_system.supernet.elastic import ElasticCNN10
from dcase_system.supernet.space import paper_space
from dcase_system.supernet.step import SupernetPlan, SupernetTraining

CLIPS, FRAMES, ROUNDS = 32, 101, 7


def step_seconds(pattern: str) -> tuple[float, float]:
    """Processor time of a step, forward, backward and Adam: of the largest and the smallest.

    Not the time on the clock, in which the machine's other work is too.
    """
    space = paper_space(pattern)
    supernet = ElasticCNN10(space.base, seed=0)
    model = SupernetTraining(supernet, PannsMelSpec(), SupernetPlan(epochs=1), space)
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)

    @tf.function
    def step(features, labels, widths):
        gradients, loss, _ = model.gradients(widths, features, labels)
        model.optimizer.apply(gradients, model.trainable_variables)
        return loss

    features = tf.random.normal((CLIPS, 64, FRAMES, 1))
    labels = tf.zeros((CLIPS, space.base.classes))
    seconds: dict[str, list[float]] = {"largest": [], "smallest": []}
    for _ in range(ROUNDS + 1):
        for name, of_them in seconds.items():
            widths = tf.constant(getattr(model.sampler, name))
            started = time.process_time()
            step(features, labels, widths).numpy()
            of_them.append(time.process_time() - started)
    assert step.experimental_get_tracing_count() == 1
    # The first round traces.
    return float(np.median(seconds["largest"][1:])), float(np.median(seconds["smallest"][1:]))


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["2,2,X", "X,X,X"])
def test_the_smallest_sub_network_takes_at_most_0_45_of_the_largest_ones_time(pattern):
    largest, smallest = step_seconds(pattern)
    print(f"{pattern}: {smallest:.3f} s of {largest:.3f} s, {smallest / largest:.2f}")
    assert smallest <= 0.45 * largest
