"""One training step: averages the gradients of K sub-networks (Lin et al., section 2.3)."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from dcase_system.audio.augment import AxisMask
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.specs import FrontEndSpec
from dcase_system.distillation.alpha_divergence import AlphaDivergence
from dcase_system.parallel import replicas
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.plans import SamplingPlan, SupernetPlan
from dcase_system.supernet.sampling import WidthSampler
from dcase_system.supernet.search_space import SearchSpace
from dcase_system.training.mixup import draw_mix, mixed
from dcase_system.training.seeds import derive

# Limit of draws per sub-network and generator: the spacing of their counters.
_MOST_DRAWS = 64


class ElasticTraining(keras.Model):
    """A supernet whose training step averages the gradients of K sub-networks.

    A subclass says how clips become features, and how each sub-network sees them.

    Args:
        supernet: Supernet to train.
        plan: The sub-networks of a step.
        sampler: Sampler of sub-networks; None trains the largest alone.
        largest_batches: Batches that first train the largest alone.
        drawing: Layers whose random draws differ by sub-network, beside the supernet's own.
        several_labels: Whether each class is present or absent, or one class is present.
    """

    def __init__(
        self,
        supernet: ElasticNetwork,
        plan: SamplingPlan,
        sampler: WidthSampler | None,
        *,
        largest_batches: int = 0,
        drawing: Sequence[Any] = (),
        several_labels: bool = False,
    ):
        super().__init__(name="supernet_training")
        self.supernet, self.plan, self.sampler = supernet, plan, sampler
        self._largest_batches, self._several_labels = largest_batches, several_labels
        layers = [*drawing, *supernet.dropouts, *([] if sampler is None else [sampler])]
        self._generators = [layer.seed_generator for layer in layers]
        self.batches_seen = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="batches_seen"
        )
        self.mean_loss = keras.metrics.Mean(name="loss")
        self._largest = supernet.widths_of(supernet.spec)

    def prepared(self, waveforms, targets) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns features and targets of a batch, shared by all of its sub-networks."""
        raise NotImplementedError

    def perturbation(self, features, targets) -> tuple[Any, tf.Tensor]:
        """Returns how a sub-network's own features are perturbed, and its targets."""
        return None, targets

    def train_step(self, data):
        """Averages the gradients of a batch's sub-networks and applies an optimiser step."""
        features, targets = self.prepared(*data)
        if self.sampler is None:
            self._begin_draws(0)
            gradients, loss, _ = self.gradients(None, features, targets)
        else:
            gradients, loss = self._over_samples(self.sampler, features, targets)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.batches_seen.assign_add(1)
        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    def gradients(self, widths, features, targets, largest=None):
        """Computes gradients of all weights, loss and logits of one sub-network.

        Args:
            widths: Widths of the sub-network, see `ElasticNetwork`; None for the largest.
            features: Features (batch, mels, frames, 1).
            targets: Targets of the loss.
            largest: Whether to learn by the plan's divergence instead, and the largest
                sub-network's logits (batch, classes); or None.
        """
        perturb, targets = self.perturbation(features, targets)
        weights = [variable.value for variable in self.trainable_variables]
        with tf.GradientTape() as tape:
            logits = self.supernet(features, widths, mode="training", perturb=perturb)
            logits = replicas.join(logits, tf.shape(features)[0])
            # Not reduced by Keras, which divides by all replicas even inside `per_replica`.
            losses = self.loss.call(targets, logits)
            if largest is not None and self.plan.divergence is not None:
                taught, teacher = largest
                divergence = self._diverging(self.plan.divergence, teacher, logits)
                losses = tf.where(taught, divergence, losses)
            loss = tf.reduce_mean(losses)
            part = loss / replicas.count()
        zero = tf.UnconnectedGradients.ZERO  # layers that this sub-network leaves out
        return tape.gradient(part, weights, unconnected_gradients=zero), loss, logits

    def _diverging(self, divergence: AlphaDivergence, teacher, logits):
        """Divergence of the student's probabilities from the teacher's, (batch,)."""
        if not self._several_labels:
            return divergence(teacher, logits)
        # Each class has two outcomes, with logits x and 0.
        pairs = [tf.stack([one, tf.zeros_like(one)], axis=-1) for one in (teacher, logits)]
        return tf.reduce_mean(divergence(*pairs), axis=-1)

    def _taught(self, targets, logits):
        """Returns the targets with the largest sub-network as teacher."""
        if len(targets.shape) == 3:
            return tf.stack([targets[:, 0], logits], axis=1)
        return tf.sigmoid(logits) if self._several_labels else tf.nn.softmax(logits)

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
            wanted, largest = targets, None
            if self.plan.in_place and self.plan.divergence is None:
                wanted = tf.cond(
                    index == 0, lambda: targets, lambda: self._taught(targets, largest_logits)
                )
            elif self.plan.in_place:
                largest = index > 0, largest_logits
            gradients, loss, logits = self.gradients(widths, features, wanted, largest)
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
        for generator in self._generators:
            drawn = tf.cast(position * _MOST_DRAWS, generator.state.dtype)
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


class SupernetTraining(ElasticTraining):
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
        supernet: ElasticNetwork,
        spec: FrontEndSpec,
        plan: SupernetPlan,
        space: SearchSpace | None = None,
    ):
        masks = [
            AxisMask(axis, widest, 0.0, seed=derive(plan.seed, "mask", axis, index))
            for axis, widest in ((1, plan.mask_mels), (2, plan.mask_frames))
            for index in range(plan.masks)
        ]
        mixing = _Mixing(derive(plan.seed, "mixup")) if plan.mixup else None
        super().__init__(
            supernet,
            plan,
            None if space is None else WidthSampler(space.choices, derive(plan.seed, "widths")),
            largest_batches=plan.largest_steps * plan.accumulation,
            drawing=masks if mixing is None else [*masks, mixing],
            several_labels=True,
        )
        self.front_end = front_end(spec, derive(plan.seed, "front end"))
        self.masks, self.mixing = masks, mixing

    def build(self, input_shape):
        for layer in (self.front_end, *self.masks):
            layer.build(input_shape)  # they have no weights

    def call(self, waveforms):
        return self.supernet(self.front_end(waveforms))

    def prepared(self, waveforms, targets):
        return self.front_end(waveforms), targets

    def perturbation(self, features, targets):
        mix = None
        if self.mixing is not None:
            mix = draw_mix(tf.shape(features)[0], self.mixing.seed_generator)

        def perturb(x):
            for mask in self.masks:
                x = mask(x, training=True)
            return replicas.share(x if mix is None else mixed(x, *mix))

        return perturb, targets if mix is None else mixed(targets, *mix)


class _Mixing(keras.layers.Layer):
    """Holds the generator of mixup."""

    def __init__(self, seed: int):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(seed)
