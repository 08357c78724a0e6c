"""Quantization-aware training of a finished student: the stage that writes its int8 file."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.clips import Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.challenge.student.plan import (
    QAT,
    STUDENT,
    QATPlan,
    Step,
    StudentPlan,
    signature_of,
)
from dcase_system.challenge.student.setup import StageSetup, log_epoch
from dcase_system.core.progress import progress_bar
from dcase_system.distillation.consistent import Teachers
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.edge.checked_export import features_of, sample_calibration_rows
from dcase_system.edge.tflite import file_name
from dcase_system.edge.variants import ModelVariant, logits_of
from dcase_system.models.stored import load_network
from dcase_system.runs import stages
from dcase_system.training import seeds
from dcase_system.training.callbacks import Checkpoint
from dcase_system.training.plan import held_out_rows
from dcase_system.training.predict import Validate, score_logits

INT8 = file_name("int8")


def train_qat(
    run_dir: Path,
    plan: StudentPlan,
    qat: QATPlan,
    data: Data,
    student: str,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
) -> str:
    """Runs the stage `run_dir / QAT`, which writes an int8 `.tflite` file.

    It trains on the student's clips with the student's augmentation and teachers.

    Args:
        run_dir: Run directory, with the finished student.
        plan: Plan of the student.
        qat: Hyper-parameters of this training.
        data: Clips.
        student: Key of the student's stage.
        ensemble: Teachers to learn from, or None to learn from the labels alone.
        impulse_responses: Responses for device augmentation, if the plan uses it.

    Returns:
        The key of the stage.

    Raises:
        InputError: Training diverges, or the student has a layer that cannot be quantized.
    """
    seed = seeds.derive(plan.seed, "quantization-aware training")
    plan = replace(plan, epochs=qat.epochs, learning_rate=qat.learning_rate, seed=seed, rounds=())
    inputs = {
        "plan": asdict(plan),
        "student": student,
        "clips": data.train.key,
        "teachers": ensemble and ensemble.key,
        "impulse_responses": impulse_responses and impulse_responses.key,
    }
    step = Step(QAT, plan.epochs)
    setup = StageSetup(run_dir, step, plan, data, ensemble, impulse_responses)
    return stages.run_training(run_dir / QAT, inputs, QATStage(setup))


@dataclass(frozen=True)
class QATStage:
    """Quantization-aware training, called with its folder and its checkpoint.

    Attributes:
        setup: Clips, plan and logs of the student, with the epochs and the seed of this stage.
    """

    setup: StageSetup

    def __call__(self, folder: Path, checkpoint: Path) -> None:
        """Trains, and writes the int8 file to `folder`."""
        from dcase_system.edge import qat  # imports tf_keras, which takes seconds

        setup, train = self.setup, self.setup.data.train
        seeds.set_seed(setup.plan.seed)
        network = load_network(setup.run_dir / STUDENT)
        rows = sample_calibration_rows(len(train), setup.plan.seed)
        calibration = features_of(signature_of(setup.plan, setup.data), train.audio.take(rows))
        model = qat.quantised_model(network, calibration)
        self._fit_bridged(model, network, checkpoint)
        (folder / INT8).write_bytes(qat.converted(model))

    def _fit_bridged(self, model: Any, network: keras.Model, checkpoint: Path) -> None:
        """Trains a tf_keras copy of the network: Adam with a half-cosine schedule."""
        import tf_keras

        from dcase_system.models.tf_keras import compile_model

        setup, validate, teachers = self.setup, self._validate(model), self.setup.teachers()
        epochs = setup.plan.epochs
        steps_per_epoch = setup.epoch_steps(setup.prepared(network))
        rate = tf_keras.optimizers.schedules.CosineDecay(
            setup.plan.learning_rate, epochs * steps_per_epoch
        )
        compile_model(model, tf_keras.optimizers.Adam(rate, epsilon=1e-8), setup.loss())
        saver = Checkpoint(checkpoint, steps_per_epoch)
        saver.set_model(model)
        saver.set_params({"epochs": epochs})
        shown = progress_bar(f"split{setup.data.split} {setup.step.name}", "epoch")
        with shown as show, setup.metrics_log() as log:
            for epoch in range(saver.restore(model), epochs):
                batches = self._epoch_batches(network, teachers, epoch)
                done = model.fit(batches, steps_per_epoch=steps_per_epoch, verbose=0)
                log_epoch(log, validate, epoch + 1, done.history["loss"][0])
                saver.on_epoch_end(epoch)
                show(epoch + 1, epochs)

    def _epoch_batches(
        self, network: keras.Model, teachers: Teachers | None, epoch: int
    ) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """Yields (features, targets) of an epoch, with its own seed so that resuming is exact.

        A random state in the checkpoint would not suffice: tf_keras prefetches batches.
        """
        plan = self.setup.plan
        seed = seeds.derive(plan.seed, "epoch", epoch)
        setup = replace(self.setup, plan=replace(plan, seed=seed))
        training = setup.prepared(network)
        return islice(setup.feature_batches(training, teachers), setup.epoch_steps(training))

    def _validate(self, model: Any) -> Validate | None:
        """Returns a function that scores the quantized network on held-out clips, if any."""
        data, train = self.setup.data, self.setup.data.train
        rows = np.flatnonzero(held_out_rows(train.clips, self.setup.plan.validation_fraction))
        if not rows.size:
            return None

        def validate() -> dict[str, float]:
            variants, audio = {INT8: ModelVariant(model.predict_on_batch)}, train.audio.take(rows)
            logits = logits_of(variants, signature_of(self.setup.plan, data), audio)[INT8]
            return score_logits(logits, train.clips.labels[rows])

        return validate
