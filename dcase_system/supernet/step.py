"""One training step: averages the gradients of K sub-networks (Lin et al., section 2.3)."""

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
from dcase_system.supernet.search_space import SearchSpace
from dcase_system.training.batches import epochs_of
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.mixup import draw_mix, mixed
from dcase_system.training.schedule import ScheduleName
from dcase_system.training.seeds import derive

# Limit of draws per sub-network and generator: the spacing of their counters.
_MOST_DRAWS = 64


@dataclass(frozen=True, kw_only=True)
class SupernetPlan:
    """Hyper-parameters of a training; the defaults are the paper's (Lin et al., section 3.3).

    Attributes:
        steps: Total optimiser steps, rounded up to a whole number of epochs.
        largest_steps: Number of these steps that first train the largest sub-network alone.
        batch_size: Clips per batch.
        learning_rate: Learning rate of Adam.
        schedule: Schedule of the learning rate, see `FitPlan`.
        samples: Number K of sub-networks per step; their gradients are averaged.
        sampling: `uniform` as published, or `sandwich`: the largest, the smallest and K - 2 others.
        in_place: Whether the others learn from the largest one's outputs in the same step.
        accumulation: Batches per optimiser step.
        masks: Number of masks along each axis, mel bands and frames.
        mask_mels: Largest mask in mel bands.
        mask_frames: Largest mask in frames.
        mixup: Whether clips and their labels are mixed in pairs, as for the teacher.
        seed: Random seed of the training.
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
                "in_place", "sandwich sampling, which includes the largest", self.sampling
            )
        if self.steps < 1:
            raise does_not_fit("steps", "at least 1", self.steps)
        if not 0 <= self.largest_steps <= self.steps:
            raise does_not_fit("largest_steps", f"0 to {self.steps}", self.largest_steps)

    def fit_plan(self, clips: int) -> FitPlan:
        """Returns what `training.fit` does for this plan.

        Its epochs cover all steps: 289 for 100,000 steps on AudioSet's 22,160 clips.

        Args:
            clips: Number of training clips.
        """
        return FitPlan(
            epochs=epochs_of(self.steps * self.accumulation, clips, self.batch_size),
            batch_size=self.batch_size,
            accumulation=self.accumulation,
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            schedule=self.schedule,
            seed=self.seed,
        )


class SupernetTraining(keras.Model):
    """Maps waveforms to logits of the largest sub-network; a training step uses K sub-networks.

    Masks and mixup act on the normalised log-mels, as in PANNs; every sub-network of a step samples
    its own.

    Args:
        supernet: Supernet to train.
        spec: Spec of the front end.
        plan: Hyper-parameters.
        space: Search space to sample from; None trains the largest sub-network alone.
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
            layer.build(input_shape)  # they have no weights

    def call(self, waveforms):
        return self.supernet(self.front_end(waveforms))

    def train_step(self, data):
        """Averages the gradients of a batch's sub-networks and applies an optimiser step."""
        waveforms, targets = data
        features = self.front_end(waveforms)  # shared by all sub-networks
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
        """Computes gradients of all weights, loss and logits of one sub-network.

        Args:
            widths: Widths of the sub-network, see `ElasticCNN10`; None for the largest.
            features: Features (batch, mels, frames, 1).
            targets: Targets of the loss.
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
            # Not reduced by Keras, which divides by all replicas even inside `per_replica`.
            loss = tf.reduce_mean(self.loss.call(targets, logits))
            part = loss / replicas.count()
        zero = tf.UnconnectedGradients.ZERO  # layers that this sub-network leaves out
        return tape.gradient(part, weights, unconnected_gradients=zero), loss, logits

    def _over_samples(self, sampler: WidthSampler, features, targets):
        """Computes mean gradients and loss over the sub-networks of this step.

        The sub-networks are divided among the replicas; each replica sees the whole batch. The
        returned gradients are this replica's part of the mean.
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
        # With a loop, the graph holds the network once, however many sub-networks a step has.
        with replicas.per_replica():
            _, sums, total, _ = tf.while_loop(
                lambda index, *_: index < count, body, start, parallel_iterations=1
            )
        if stride > 1:
            total = replicas.all_sum(total)
            self._average_statistics(stride)
        share = 1.0 / tf.cast(count, tf.float32)
        return [gradient * share for gradient in sums], total * share

    def _begin_draws(self, index) -> None:
        """Sets all generators by the sub-network's number, independently of earlier draws."""
        position = tf.convert_to_tensor(self.batches_seen) * self.plan.samples + index
        drawn = tf.cast(position * _MOST_DRAWS, self.mixing.state.dtype)
        for generator in self._generators:
            seed = tf.convert_to_tensor(generator.state)[0]
            generator.state.assign(tf.stack([seed, drawn]))

    def _average_statistics(self, count: int) -> None:
        """Averages the moving statistics, shared by all sub-networks, over the replicas."""
        moving = [
            variable
            for layer in self.supernet.parts.values()
            for variable in layer.non_trainable_variables
        ]
        sums = replicas.all_sum([tf.convert_to_tensor(variable) for variable in moving])
        for variable, total in zip(moving, sums, strict=True):
            variable.assign(total / count)


def _taught(targets, logits):
    """Returns the targets with the largest sub-network as teacher."""
    if len(targets.shape) == 3:
        return tf.stack([targets[:, 0], logits], axis=1)
    return tf.sigmoid(logits)


def does_not_fit(what: str, expected: object, received: object) -> InputError:
    return InputError(
        f"{what} does not fit", where="supernet training", expected=expected, received=received
    )
