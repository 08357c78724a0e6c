"""Process of one worker of a data-parallel training.

    python -m tests.parallel.worker FOLDER KIND=EPOCHS,KIND=EPOCHS [DISTRIBUTION [LAST_STEP]]

Trains a small network of each kind and leaves its log in `FOLDER/KIND/metrics.jsonl`, its weights
in `FOLDER/KIND/network/weights.npz`, and of a student the loss of each step in
`FOLDER/KIND/losses-WORKER.json`. After step `LAST_STEP` the second worker kills itself.
"""

import json
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from dcase_system.audio.specs import LogMelSpec
from dcase_system.audio.store import Waveforms
from dcase_system.core import cli
from dcase_system.distillation.losses import DistillationLoss, PackedAccuracy, pack_targets
from dcase_system.models import registry
from dcase_system.parallel import workers
from dcase_system.runs import stages
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.plans import SupernetPlan
from dcase_system.supernet.search_space import SearchSpace, paper_space
from dcase_system.supernet.training import train_supernet
from dcase_system.training import seeds
from dcase_system.training.augmented import augmented_model
from dcase_system.training.batches import epoch_steps
from dcase_system.training.fit import Training, fit
from dcase_system.training.fit_plan import FitPlan
from dcase_system.training.log import TrainingLog
from tests.supernet import networks
from tests.toys import toy_student

CLIPS, SAMPLES, CLASSES, BATCH = 41, 8_000, 10, 16  # the last batch is of 9: shares of 4 and 5
SPEC = LogMelSpec(
    sample_rate=8_000, window_length=512, hop_length=125, fft_length=512, n_mels=32, max_hz=4_000.0
)


class StepLosses(keras.callbacks.Callback):
    """Writes down the loss of each step, and ends the process after one of them."""

    def __init__(self, path: Path, last_step: int | None):
        super().__init__()
        self.path, self.last_step, self.losses = path, last_step, list[float]()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.model.reset_metrics()  # the next one is of its step alone
        self.path.write_text(json.dumps(self.losses))
        if len(self.losses) == self.last_step and workers.team().index == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def noise(clips: int, samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 3_000, (clips, samples)).astype(np.int16)


def train_student(folder: Path, checkpoint: Path, epochs: int, losses: StepLosses) -> list:
    """Trains SSCP-Mobile with all augmentation and a teacher."""
    spec = replace(toy_student(), input_shape=(SPEC.n_mels, SPEC.frames(SAMPLES)))
    network = registry.build(spec)
    model = augmented_model(
        network,
        SPEC,
        SAMPLES,
        roll_seconds=0.1,
        mask_mels=8,
        mask_frames=4,
        mixstyle_probability=0.6,
        mixstyle_alpha=0.3,
        seed=0,
    )
    generator = np.random.default_rng(0)
    labels = np.eye(CLASSES, dtype=np.float32)[generator.integers(0, CLASSES, CLIPS)]
    waveforms = Waveforms(noise(CLIPS, SAMPLES), np.arange(CLIPS), "noise")
    targets = pack_targets(labels, generator.normal(size=labels.shape).astype(np.float32))
    fit(
        Training(model, waveforms, targets),
        # The warm-up is as published: Adam makes much of what is little, so that sums differ more.
        FitPlan(epochs=epochs, batch_size=BATCH, warmup_steps=2_000),
        loss=DistillationLoss(),
        metrics=[PackedAccuracy()],
        checkpoint=checkpoint,
        metrics_log=TrainingLog(folder / "metrics.jsonl"),
        callbacks=[losses],
    )
    return network.weights


def train_supernet_of(space: SearchSpace | None, folder: Path, checkpoint: Path, epochs: int, _):
    """Sub-networks of a space, or the largest alone; with dropout, masks and mixup."""
    waveforms, labels = networks.tones()
    supernet = ElasticNetwork(networks.SHALLOW)
    train_supernet(
        supernet,
        space,
        networks.FRONT_END,
        waveforms,
        labels,
        SupernetPlan(
            steps=epochs * epoch_steps(len(waveforms), 9),
            batch_size=9,
            mask_mels=2,
            mask_frames=4,
            mixup=True,
        ),
        checkpoint=checkpoint,
        metrics_log=TrainingLog(folder / "metrics.jsonl"),
        name="supernet",
    )
    return supernet.weights


KINDS = {
    "student": train_student,
    "network": partial(train_supernet_of, None),
    "supernet": partial(train_supernet_of, paper_space("X", base=networks.SHALLOW)),
}


def main(arguments: list[str]) -> None:
    given = [*arguments[1:], *("one_device", "0")[len(arguments) - 3 :]]
    root, kinds, distribution, last_step = given
    devices = None
    if distribution == "mirrored":  # on processors, as if they were GPUs
        (processor,) = tf.config.list_physical_devices("CPU")
        logical = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(processor, [logical, logical])
        devices = ["CPU:0", "CPU:1"]
    workers.start(distribution, 60, devices)
    for one in kinds.split(","):
        kind, epochs = one.split("=")
        run(Path(root) / kind, kind, int(epochs), int(last_step))
    workers.dismiss_others()


def run(folder: Path, kind: str, epochs: int, last_step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    losses = StepLosses(folder / f"losses-{workers.team().index}.json", last_step)

    def train(temporary: Path, checkpoint: Path) -> None:
        seeds.set_seed(0)
        weights = KINDS[kind](folder, checkpoint, epochs, losses)
        values = {f"{index:03d}": weight.numpy() for index, weight in enumerate(weights)}
        np.savez(temporary / "weights.npz", **values)

    stages.run_training(folder / "network", {"kind": kind, "epochs": epochs}, train)


if __name__ == "__main__":
    cli.run(main, takes_arguments=True)
