"""One step of a training: K sub-networks, their gradients averaged (Lin et al., section 2.3)."""

import math
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from dcase_system.audio.augment import AxisMask
from dcase_system.audio.front_ends import FrontEndSpec, front_end
from dcase_system.core.errors import InputError
from dcase_system.parallel import replicas
from dcase_system.supernet.elastic import ElasticCNN10
from dcase_system.supernet.sampling import Sampling, WidthSampler
from dcase_system.supernet.space import SearchSpace
from dcase_system.training.batches import epoch_steps
from dcase_system.training.mixup import draw_mix, mixed
from dcase_system.training.schedule import ScheduleName
from dcase_system.training.seeds import derive

# Of one sub-network from one generator: they are numbered so far apart.
_MOST_DRAWS = 64


@dataclass(frozen=True, kw_only=True)
class SupernetPlan:
    """Hyper-parameters of a training; the defaults are the paper's (Lin et al., section 3.3).

    Attributes:
        steps: steps of the optimiser, in all. A training ends with a whole pass over the clips, so
            it goes on for up to one pass more.
        largest_steps: of these, first, with the largest sub-network alone.
        batch_size: clips a batch.
        learning_rate: of Adam.
        schedule: of the learning rate, see `training.fit`.
        samples: K, sub-networks a step; their gradients are averaged.
        sampling: `uniform` as published, or `sandwich`: the largest, the smallest and K - 2 others.
        in_place: whether the others learn from the largest one's outputs of the same step.
        accumulation: batches a step of the optimiser.
        masks: bands and stretches of frames that are masked, of each so many.
        mask_mels: largest mask in mel bands.
        mask_frames: largest mask in frames.
        mixup: whether clips and their labels are mixed in pairs, as for the teacher.
        seed: of everything random.
    """

    steps: int
    largest_steps: int = 0
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: ScheduleName = "constant"
    samples: int = 4
    sampling: Sampling = "uniform"
    in_place: bool = False
    accumulation: int = 1
    masks: int = 2
    mask_mels: int = 8
    mask_frames: int = 64
    mixup: bool = False
    seed: int = 0

    def __post_init__(self):
        least = 2 if self.sampling == "sandwich" else 1
        if self.samples < least:
            raise does_not_fit(
                "samples", f"at least {least} for {self.sampling} sampling", self.samples
            )
        if self.in_place and self.sampling != "sandwich":
            raise does_not_fit(
                "in_place", "sandwich sampling, which has the largest", self.sampling
            )
        if self.steps < 1:
            raise does_not_fit("steps", "at least 1", self.steps)
        if not 0 <= self.largest_steps <= self.steps:
            raise does_not_fit("largest_steps", f"0 to {self.steps}", self.largest_steps)

    def epochs(self, clips: int) -> int:
        """Passes over so many clips that hold all steps: 289 of AudioSet's 22,160 for 100,000."""
        return math.ceil(self.steps * self.accumulation / epoch_steps(clips, self.batch_size))


class SupernetTraining(keras.Model):
    """Waveforms to logits of the largest sub-network; a training step takes K sub-networks.

    The masks and the mixing act on the normalised log-mels, as in PANNs; every sub-network of a
    step has draws of its own.

    Args:
        supernet: whose weights are trained.
        spec: of the front end.
        plan: hyper-parameters.
        space: sub-networks to draw from; None trains the largest alone.
    """

    def __init__(
        self,
        supernet: ElasticCNN10,
        spec: FrontEndSpec,
        plan: SupernetPlan,
        space: SearchSpace | None = None,
    ):
        super().__init__(name="supernet_training")
        self.supernet, self.plan = supernet, plan
        self._largest_batches = plan.largest_steps * plan.accumulation
        self.front_end = front_end(spec, derive(plan.seed, "front end"))
        self.masks = [
            AxisMask(axis, widest, 0.0, seed=derive(plan.seed, "mask", axis, index))
            for axis, widest in ((1, plan.mask_mels), (2, plan.mask_frames))
            for index in range(plan.masks)
        ]
        self.mixing = keras.random.SeedGenerator(derive(plan.seed, "mixup"))
        self.sampler = None if space is None else WidthSampler(space, derive(plan.seed, "widths"))
        dropouts = supernet.block_dropout, supernet.head_dropout
        drawing: list[Any] = [
            *self.masks,
            *dropouts,
            *([] if self.sampler is None else [self.sampler]),
        ]
        self._generators = [self.mixing, *(layer.seed_generator for layer in drawing)]
        self.batches_seen = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="batches_seen"
        )
        self.mean_loss = keras.metrics.Mean(name="loss")
        self._largest = supernet.widths_of(supernet.spec)

    def build(self, input_shape):
        for layer in (self.front_end, *self.masks):
            layer.build(input_shape)  # none of them has weights

    def call(self, waveforms):
        return self.supernet(self.front_end(waveforms))

    def train_step(self, data):
        """One batch: gradients of its sub-networks, averaged, and a step of the optimiser."""
        waveforms, targets = data
        features = self.front_end(waveforms)  # once for all sub-networks
        if self.sampler is None:
            self._begin_draws(0)
            gradients, loss, _ = self.gradients(None, features, targets)
        else:
            gradients, loss = self._over_samples(self.sampler, features, targets)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.batches_seen.assign_add(1)
        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    def gradients(self, widths, features, targets):
        """Gradients of all weights, loss and logits of one sub-network.

        Args:
            widths: of the sub-network, see `ElasticCNN10`; None for the largest.
            features: (batch, mels, frames, 1).
            targets: what the loss takes.
        """
        mix = draw_mix(tf.shape(features)[0], self.mixing) if self.plan.mixup else None

        def perturb(x):
            for mask in self.masks:
                x = mask(x, training=True)
            return replicas.share(x if mix is None else mixed(x, *mix))

        targets = targets if mix is None else mixed(targets, *mix)
        weights = [variable.value for variable in self.trainable_variables]
        with tf.GradientTape() as tape:
            logits = self.supernet(features, widths, mode="training", perturb=perturb)
            logits = replicas.join(logits, tf.shape(features)[0])
            # Not reduced by Keras, which divides by all replicas even where each works apart.
            loss = tf.reduce_mean(self.loss.call(targets, logits))
            part = loss / replicas.count()
        zero = tf.UnconnectedGradients.ZERO  # layers that this sub-network leaves out
        return tape.gradient(part, weights, unconnected_gradients=zero), loss, logits

    def _over_samples(self, sampler: WidthSampler, features, targets):
        """Mean gradients and loss over the sub-networks of this step.

        Replicas take turns: each has the whole batch, and other sub-networks. The gradients are
        this one's part of the mean.
        """
        alone = tf.convert_to_tensor(self.batches_seen) < self._largest_batches
        count = tf.where(alone, 1, self.plan.samples)
        classes = self.supernet.spec.classes
        first, stride = tf.convert_to_tensor(replicas.index()), replicas.count()

        def body(index, sums, total, largest_logits):
            self._begin_draws(index)
            widths = tf.cond(
                alone,
                lambda: tf.constant(self._largest),
                lambda: sampler.of_step(index, self.plan.sampling),
            )
            wanted = targets
            if self.plan.in_place:
                wanted = tf.cond(
                    index == 0, lambda: targets, lambda: _taught(targets, largest_logits)
                )
            gradients, loss, logits = self.gradients(widths, features, wanted)
            sums = [old + new for old, new in zip(sums, gradients, strict=True)]
            kept = tf.where(index == 0, tf.stop_gradient(logits), largest_logits)
            return index + stride, sums, total + loss, kept

        start = (
            first,
            [tf.zeros(variable.shape) for variable in self.trainable_variables],
            tf.constant(0.0),
            tf.zeros((tf.shape(features)[0], classes)),
        )
        # A loop in the graph holds the network once, however many sub-networks a step takes.
        with replicas.apart():
            _, sums, total, _ = tf.while_loop(
                lambda index, *_: index < count, body, start, parallel_iterations=1
            )
        if stride > 1:
            total = replicas.all_sum(total)
            self._average_statistics(stride)
        share = 1.0 / tf.cast(count, tf.float32)
        return [gradient * share for gradient in sums], total * share

    def _begin_draws(self, index) -> None:
        """Makes the draws of a sub-network those of its number, whichever were drawn before."""
        position = tf.convert_to_tensor(self.batches_seen) * self.plan.samples + index
        drawn = tf.cast(position * _MOST_DRAWS, self.mixing.state.dtype)
        for generator in self._generators:
            seed = tf.convert_to_tensor(generator.state)[0]
            generator.state.assign(tf.stack([seed, drawn]))

    def _average_statistics(self, count: int) -> None:
        """The moving statistics, which are no sub-network's own, stay the same on all replicas."""
        moving = [
            variable
            for layer in self.supernet.parts.values()
            for variable in layer.non_trainable_variables
        ]
        sums = replicas.all_sum([tf.convert_to_tensor(variable) for variable in moving])
        for variable, total in zip(moving, sums, strict=True):
            variable.assign(total / count)


def _taught(targets, logits):
    """The targets with the largest sub-network in the teacher's place."""
    if len(targets.shape) == 3:
        return tf.stack([targets[:, 0], logits], axis=1)
    return tf.sigmoid(logits)


def does_not_fit(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="supernet training", expected=expected, received=received
    )
