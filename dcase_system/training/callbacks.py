"""Training callbacks: checkpoints, the metrics log, progress with the time left."""

import logging
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save
from tqdm import tqdm

from dcase_system.core.arrays import read_arrays
from dcase_system.core.errors import InputError
from dcase_system.core.files import replacing
from dcase_system.parallel.workers import team
from dcase_system.training.log import TrainingLog
from dcase_system.training.optimizers import batches_seen
from dcase_system.training.predict import Validate

_LOG = logging.getLogger(__name__)


class Checkpoint(keras.callbacks.Callback):
    """Atomically saves weights, optimiser and random state after an epoch, and restores them.

    Saves after the first and the last epoch; in between, only as often as keeps saving within a
    twentieth of the training time.

    Keras's own BackupAndRestore writes HDF5 in place: a process killed while writing loses both
    states, a full disk crashes the HDF5 library, and the states of the layers' seed generators are
    not saved. The epoch is not stored: it follows from the optimiser's step count.

    Args:
        path: Path of a `.safetensors` file.
        steps_per_epoch: Batches per epoch.
    """

    def __init__(self, path: str | Path, steps_per_epoch: int):
        super().__init__()
        self.path, self.steps_per_epoch = Path(path), steps_per_epoch
        self._saving_seconds, self._saved_at = 0.0, time.monotonic()

    def restore(self, model: keras.Model) -> int:
        """Loads the checkpoint into a compiled model, if there is one.

        Returns:
            Number of completed epochs.

        Raises:
            InputError: The file is not a checkpoint of this model.
        """
        # Even without a file: building the optimizer in the first step would trace that step twice.
        model.optimizer.build(model.trainable_variables)
        if self.path.with_suffix(".npz").is_file():
            raise self._foreign("written by an earlier version", self.path.with_suffix(".npz"))
        if not self.path.is_file():
            return 0
        variables = _state(model)
        try:
            values, _ = read_arrays(self.path)
        except ValueError as error:
            raise self._foreign(str(error), self.path) from error
        if {name: (value.shape, value.dtype) for name, value in values.items()} != {
            name: (tuple(variable.shape), np.dtype(keras.backend.standardize_dtype(variable.dtype)))
            for name, variable in variables.items()
        }:
            raise self._foreign("other variables", self.path)
        for name, variable in variables.items():
            variable.assign(values[name])
        epochs = batches_seen(model.optimizer) // self.steps_per_epoch
        _LOG.info("resuming after epoch %d from %s", epochs, self.path)
        return epochs

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"]
        started = time.monotonic()
        if not team().is_chief:
            return
        if last or started - self._saved_at >= 20 * self._saving_seconds:
            content = save({name: np.asarray(v) for name, v in _state(self.model).items()})
            with replacing(self.path) as temporary:
                temporary.write_bytes(content)
            self._saved_at = time.monotonic()
            self._saving_seconds = self._saved_at - started

    def _foreign(self, reason: str, path: Path) -> InputError:
        return InputError(
            f"checkpoint does not fit ({reason})",
            where=path,
            expected="a checkpoint of this run; remove it to start over",
        )


class MetricsLog(keras.callbacks.Callback):
    """Logs each epoch's metrics and the learning rate at its start."""

    def __init__(self, log: TrainingLog):
        super().__init__()
        self._log = log

    def on_epoch_begin(self, epoch, logs=None):
        # By the end of the epoch the optimiser already has the next epoch's rate.
        self._learning_rate = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        values = {name: float(value) for name, value in (logs or {}).items()}
        self._log.add({"epoch": epoch + 1, **values, "learning_rate": self._learning_rate})


class StopIfDiverged(keras.callbacks.Callback):
    """Ends the training with an error when the loss is not finite."""

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            raise InputError(
                "training has diverged",
                where=f"epoch {epoch + 1}",
                expected="a finite loss (try a lower learning rate)",
                received=loss,
            )


class Progress(keras.callbacks.Callback):
    """A bar over all steps with the time left.

    Without a terminal, a line after the first and the last epoch, and every minute between them.

    Args:
        name: Name of the training.
        steps_per_epoch: Steps of an epoch.
        first_epoch: Number of epochs that are done already.
        epochs: Number of epochs of this training.
        later_epochs: Epochs of trainings that follow, whose time is added to what is left.
    """

    def __init__(
        self,
        name: str,
        steps_per_epoch: int,
        first_epoch: int,
        epochs: int,
        later_epochs: int = 0,
    ):
        super().__init__()
        self._name, self._steps_per_epoch = name, steps_per_epoch
        self._first_epoch, self._epochs = first_epoch, epochs
        self._later_epochs = later_epochs

    def on_train_begin(self, logs=None):
        self._started = self._logged = time.monotonic()
        self._bar = tqdm(
            total=self._epochs * self._steps_per_epoch,
            initial=self._first_epoch * self._steps_per_epoch,
            desc=self._name,
            unit="step",
            disable=None,  # no bar without a terminal
        )

    def on_train_batch_end(self, batch, logs=None):
        self._bar.update()

    def on_epoch_end(self, epoch, logs=None):
        values = " ".join(
            f"{name} {value:.3f}" for name, value in (logs or {}).items() if name != "learning_rate"
        )
        now, done = time.monotonic(), epoch + 1
        an_epoch = (now - self._started) / (done - self._first_epoch)
        left = f"{tqdm.format_interval(an_epoch * (self._epochs - done))} left"
        if self._later_epochs:
            later = an_epoch * (self._epochs - done + self._later_epochs)
            left += f", {tqdm.format_interval(later)} with the stages after it"
        self._bar.set_postfix_str(f"epoch {done}/{self._epochs} {values}, {left}")
        is_end = done in (self._first_epoch + 1, self._epochs)
        if self._bar.disable and (is_end or now - self._logged >= 60):
            self._logged = now
            _LOG.info("%s epoch %d/%d %s, %s", self._name, done, self._epochs, values, left)

    def on_train_end(self, logs=None):
        self._bar.close()


class Validation(keras.callbacks.Callback):
    """Adds the metrics that `validate` returns to the logs of each epoch."""

    def __init__(self, validate: Validate):
        super().__init__()
        self._validate = validate

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(self._validate())


def _state(model: keras.Model) -> dict[str, Any]:
    """All variables of a model, its seed generators and its optimiser, keyed by position."""
    variables = [*model.variables, *model.optimizer.variables]
    return {f"{index:05d}": variable for index, variable in enumerate(variables)}
