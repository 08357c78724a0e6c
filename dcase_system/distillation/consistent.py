"""Consistent teaching: the teachers answer the same waveforms that the student gets.

Source: Beyer et al. 2022, "Knowledge distillation: a good teacher is patient and consistent". The
members run in every training step, on the batch after all augmentation of waveforms. Masks and
Freq-MixStyle come after the student's front end and stay its own.
"""

import math
from collections.abc import Sequence
from typing import Literal

import keras
import tensorflow as tf

from dcase_system.audio.front_ends import front_end
from dcase_system.audio.specs import AnySpec
from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble import Average
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.models.signature import load_signature
from dcase_system.models.stored import load_network
from dcase_system.parallel.replicas import join, share
from dcase_system.runs import stages
from dcase_system.training.augmented import heard_by
from dcase_system.training.mixup import Mixup

Teaching = Literal["stored", "consistent"]
"""Whether a student learns from stored logits of the clean clips, or as this module says."""


def check_networks(ensemble: Ensemble) -> None:
    """Checks, without loading them, that the members' networks can answer.

    Raises:
        InputError: A network is missing or of another training, or the members were trained by
            folds.
    """
    for folder, key in ensemble.networks.items():
        if stages.read_stage(folder).get("key") != key:
            raise InputError(
                "teacher's network is missing or of another training",
                where=folder,
                expected="teachers that recipes.teachers trained here, or --teaching=stored",
            )
        if ensemble.trained is not None:
            raise InputError(
                "teachers by folds would answer for clips that they were trained on",
                where=folder,
                expected="--teaching=stored, or teachers without --folds",
            )


class Teachers:
    """The members' networks behind their own front ends, for inference alone.

    Not a layer, on purpose: a model that holds it neither trains its variables nor saves them.

    Args:
        members: Front end and network (from its output to logits) of each member.
        average: What to average over the members.
    """

    def __init__(self, members: Sequence[tuple[AnySpec, keras.Model]], average: Average):
        self._members, self._average = members, average
        # Members with equal front ends share one.
        self._front_ends = {spec: front_end(spec) for spec, _ in members}

    def __call__(self, waveforms) -> tf.Tensor:
        """Returns the ensemble's logits (batch, classes) for waveforms (batch, samples)."""
        own = share(waveforms)
        features = {spec: layer(own, training=False) for spec, layer in self._front_ends.items()}
        answers = [network(features[spec], training=False) for spec, network in self._members]
        stacked = tf.stack(answers)  # (members, share of the batch, classes)
        if self._average == "logits":
            logits = tf.reduce_mean(stacked, axis=0)
        else:
            total = tf.reduce_logsumexp(tf.nn.log_softmax(stacked), axis=0)
            logits = total - math.log(len(answers))
        return join(logits, tf.shape(waveforms)[0])


def load_teachers(
    ensemble: Ensemble, scenes: Sequence[str], samples: int, average: Average
) -> Teachers:
    """Loads the members' networks.

    Args:
        ensemble: Teachers, trained without folds.
        scenes: Class order of the student.
        samples: Clip length of the student in samples.
        average: What to average over the members.

    Raises:
        InputError: See `check_networks`; or a member has other classes or another clip length.
    """
    check_networks(ensemble)
    members = []
    for folder in ensemble.networks:
        signature = load_signature(folder)
        if (signature.labels, signature.samples) != (tuple(scenes), samples):
            raise InputError(
                "teacher has other classes or another clip length than the student",
                where=folder,
                expected=f"{len(scenes)} classes, {samples} samples",
                received=f"{len(signature.labels)} classes, {signature.samples} samples",
            )
        members.append((signature.front_end, load_network(folder)))
    return Teachers(members, average)


def with_answers(targets, logits) -> tf.Tensor:
    """Replaces the teachers' logits in packed targets (batch, 2, classes)."""
    return tf.stack([targets[:, 0], logits], axis=1)


class ConsistentTraining(keras.Model):
    """Trains a student on its teachers' logits for its own input waveforms.

    Outside of training steps it is the student alone, so validation does not pay for teachers.

    Args:
        model: Model from `augmented_model`; its network is trained.
        teachers: Teachers, which replace the logits in the packed targets.
        mixup: Mixes the waveforms before teachers and student hear them, or None.
    """

    def __init__(self, model: keras.Model, teachers: Teachers, mixup: Mixup | None = None):
        super().__init__(name=f"consistent_{model.name}")
        heard = heard_by(model)
        self.augmentation = keras.Model(model.input, heard)
        self.student = keras.Model(heard, model.output)
        self.teachers, self.mixup = teachers, mixup

    def build(self, input_shape):
        self.built = True  # the student already is

    def call(self, waveforms, training=False):
        return self.student(waveforms, training=training)

    def train_step(self, data):
        waveforms, targets = data if self.mixup is None else self.mixup(*data)
        heard = self.augmentation(waveforms, training=True)
        return super().train_step((heard, with_answers(targets, self.teachers(heard))))
