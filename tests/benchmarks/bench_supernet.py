"""The supernet: a step by sub-network, and scoring a candidate against training it alone."""

import time
from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.specs import PannsMelSpec
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.supernet.calibration import SubNetworks
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.plans import SupernetPlan
from dcase_system.supernet.scoring import SubNetworkScorer
from dcase_system.supernet.search_space import SearchSpace, paper_space
from dcase_system.supernet.step import SupernetTraining
from tests.benchmarks.harness import Row, alternate, compared

CLIPS, FRAMES = 32, 101  # frames of a second
CALIBRATED, SCORED, TRAINED = 256, 512, 1_024
QUARTER = CNN10Spec(blocks=((16, 16), (32, 32), (64, 64), (128, 128)), embedding=128)


def rows(rounds: int) -> list[Row]:
    found = []
    for pattern in ("2,2,X", "X,X,X"):
        seconds = steps(paper_space(pattern), rounds)
        title = f"step of the smallest sub-network, [{pattern}], batch {CLIPS}"
        found += compared(title, seconds, CLIPS)
    return found + _candidates(paper_space("2,2,X", base=QUARTER), rounds)


def steps(
    space: SearchSpace, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, np.ndarray]:
    """Seconds of a step, forward, backward and Adam, of the smallest and the largest one.

    Raises:
        AssertionError: the two need graphs of their own.
    """
    model, step = _step(space)
    features = tf.random.normal((CLIPS, 64, FRAMES, 1))
    labels = tf.zeros((CLIPS, space.base.classes))
    contenders = {
        f"the {name}": partial(step, features, labels, tf.constant(getattr(model.sampler, name)))
        for name in ("smallest", "largest")
    }
    seconds = alternate(
        {name: lambda run=run: run().numpy() for name, run in contenders.items()}, rounds, clock
    )
    assert step.experimental_get_tracing_count() == 1
    return seconds


def _step(space: SearchSpace):
    """A supernet's training, and a step of it for given widths."""
    model = SupernetTraining(
        ElasticNetwork(space.base), PannsMelSpec(), SupernetPlan(steps=1), space
    )
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    model.optimizer.build(model.trainable_variables)

    @tf.function
    def step(features, labels, widths):
        gradients, loss, _ = model.gradients(widths, features, labels)
        model.optimizer.apply(gradients, model.trainable_variables)
        return loss

    return model, step


def _candidates(space: SearchSpace, rounds: int) -> list[Row]:
    """Random candidates, recalibrated and scored, against an epoch of training each alone."""
    generator = np.random.default_rng(0)

    def batches(clips: int) -> list[np.ndarray]:
        return list(generator.normal(size=(clips // 64, 64, 64, FRAMES, 1)).astype(np.float32))

    model, step = _step(space)
    labels = np.eye(space.base.classes)[np.arange(SCORED) % space.base.classes]
    scorer = SubNetworkScorer(
        SubNetworks(model.supernet), batches(CALIBRATED), batches(SCORED), labels
    )
    specs = [space.spec(space.draw(generator)) for _ in range(rounds + 1)]
    scored, trained = iter(specs), iter(specs)
    of_batch = tf.random.normal((CLIPS, 64, FRAMES, 1)), tf.zeros((CLIPS, space.base.classes))

    def epoch() -> None:
        widths = model.supernet.widths_of(next(trained))
        for _ in range(TRAINED // CLIPS):
            step(*of_batch, widths)

    contenders = {
        "scored": lambda: scorer(next(scored)),
        f"an epoch of {TRAINED:,} clips alone": epoch,
    }
    minutes = {name: taken / 60 for name, taken in alternate(contenders, rounds).items()}
    title = f"candidates, recalibrated on {CALIBRATED} clips and scored on {SCORED}"
    return compared(title, minutes, 1, "a minute")
