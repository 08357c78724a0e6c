"""Training stages of a supernet's run: each stores an ordinary network in its folder."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from dcase_system.audio.clips import TaggedData, TaggedSet
from dcase_system.audio.front_ends import front_end
from dcase_system.audio.specs import FrontEndSpec
from dcase_system.audio.store import Waveforms
from dcase_system.core.errors import InputError
from dcase_system.core.files import read_json, replacing, write_json
from dcase_system.distillation.losses import pack_targets
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.signature import ModelSignature, save_signature
from dcase_system.models.stored import SPEC, load_network, save_network
from dcase_system.runs import stages
from dcase_system.supernet.calibration import SubNetworks, calibration_rows, kept_statistics
from dcase_system.supernet.elastic import ElasticNetwork
from dcase_system.supernet.extract import extract, load_largest
from dcase_system.supernet.plans import SupernetPlan
from dcase_system.supernet.scoring import FeatureBatches
from dcase_system.supernet.search_space import SearchSpace
from dcase_system.supernet.training import train_supernet
from dcase_system.training import seeds
from dcase_system.training.augmented import waveform_model
from dcase_system.training.log import TENSORBOARD, TrainingLog
from dcase_system.training.multilabel import clustered_intervals, mean_average_precision
from dcase_system.training.predict import predict

_LOGITS, _SCORES, _INTERVAL = "train_logits.npy", "scores.json", "interval.json"


@dataclass(frozen=True)
class StageArtifact:
    """A network stored by a stage: its folder, and the stage's key."""

    folder: Path
    key: str


@dataclass(frozen=True)
class Trainer:
    """Trains networks in a run directory; finished trainings are kept, interrupted ones resume.

    Attributes:
        run_dir: Run directory.
        data: Clips.
        front_end: Front end of all networks.
        calibration_clips: Number of training clips for recalibration.
    """

    run_dir: Path
    data: TaggedData
    front_end: FrontEndSpec
    calibration_clips: int

    def train(
        self,
        name: str,
        spec: CNN10Spec,
        plan: SupernetPlan,
        *,
        space: SearchSpace | None = None,
        teacher: StageArtifact | None = None,
        initial: StageArtifact | None = None,
    ) -> StageArtifact:
        """Trains a network or a supernet; of a supernet, the largest sub-network is stored.

        Args:
            name: Name of the stage.
            spec: Spec of the network.
            plan: Hyper-parameters.
            space: Search space to sample from; None trains the network alone.
            teacher: Teacher's logits from `teach`, to learn from instead of the labels.
            initial: Network of the same spec that provides the initial weights.
        """
        inputs = {
            "plan": asdict(plan),
            "spec": registry.spec_to_json(spec),
            "space": space and space.key,
            "front_end": asdict(self.front_end),
            "teacher": teacher and teacher.key,
            "initial": initial and initial.key,
            "clips": self.data.train.key,
        }

        def work(folder: Path, checkpoint: Path) -> None:
            seeds.set_seed(plan.seed)
            supernet = ElasticNetwork(spec)
            if initial is not None:
                load_largest(supernet, load_network(initial.folder))
            train_supernet(
                supernet,
                space,
                self.front_end,
                self.data.train.audio,
                self._targets(teacher),
                plan,
                checkpoint=checkpoint,
                metrics_log=TrainingLog(
                    self.run_dir / "metrics" / f"{name}.jsonl", self.run_dir / TENSORBOARD / name
                ),
                name=name,
            )
            self._save(folder, extract(supernet, spec), spec)

        folder = self.run_dir / name
        return StageArtifact(folder, stages.run_training(folder, inputs, work))

    def trained(self, name: str) -> StageArtifact:
        """Returns the network of a finished stage.

        Raises:
            InputError: The stage is not finished.
        """
        folder = self.run_dir / name
        if not (key := stages.read_stage(folder).get("key")):
            raise InputError(
                "is not trained yet", where=folder, expected="a finished supernet training"
            )
        return StageArtifact(folder, key)

    def teach(self, teacher: StageArtifact) -> StageArtifact:
        """Stores a teacher's logits of the clean training clips."""

        def work(folder: Path) -> None:
            logits = self.logits(load_network(teacher.folder), self.data.train.audio)
            with replacing(folder / _LOGITS) as temporary:
                np.save(temporary, logits)

        folder = self.run_dir / f"{teacher.folder.name}_logits"
        return StageArtifact(folder, stages.run_stage(folder, {"teacher": teacher.key}, work))

    def cut(self, name: str, supernet: StageArtifact, spec: CNN10Spec) -> StageArtifact:
        """Stores a sub-network of a trained supernet, recalibrated."""

        def work(folder: Path) -> None:
            sub_networks = self.sub_networks(supernet)
            with kept_statistics(sub_networks.supernet):
                sub_networks.recalibrate(spec, self.calibration_batches)
                self._save(folder, extract(sub_networks.supernet, spec), spec)

        inputs = {
            "supernet": supernet.key,
            "spec": registry.spec_to_json(spec),
            "clips": self.calibration_clips,
        }
        folder = self.run_dir / name
        return StageArtifact(folder, stages.run_stage(folder, inputs, work))

    def sub_networks(self, supernet: StageArtifact) -> SubNetworks:
        """Returns the sub-networks of a stored supernet, which is loaded once.

        Callers that change its statistics must restore them.
        """
        if supernet.key not in self._loaded:
            elastic = ElasticNetwork(registry.read_spec(supernet.folder / SPEC))
            load_largest(elastic, load_network(supernet.folder))
            self._loaded[supernet.key] = SubNetworks(elastic)
        return self._loaded[supernet.key]

    @cached_property
    def _loaded(self) -> dict[str, SubNetworks]:
        return {}

    @cached_property
    def validation_batches(self) -> tuple[np.ndarray, ...]:
        """Batches of features of the validation clips."""
        return self._features(self.data.validation.audio)

    @cached_property
    def test_batches(self) -> tuple[np.ndarray, ...]:
        """Batches of features of the test clips."""
        return self._features(self.data.test.audio)

    @cached_property
    def calibration_batches(self) -> tuple[np.ndarray, ...]:
        rows = calibration_rows(len(self.data.train), self.calibration_clips)
        return self._features(self.data.train.audio.take(rows))

    def _features(self, waveforms: Waveforms) -> tuple[np.ndarray, ...]:
        """Computes batches of features and memory-maps them."""
        return FeatureBatches(waveforms, front_end(self.front_end)).mapped(self.run_dir)

    def logits(self, network: keras.Model, waveforms: Waveforms) -> np.ndarray:
        samples = waveforms.shape[0]
        return predict(waveform_model(network, front_end(self.front_end), samples), waveforms)

    def score(self, trained: StageArtifact, clips: TaggedSet) -> float:
        """Computes the mean average precision of a stored network."""
        logits = self.logits(load_network(trained.folder), clips.audio)
        return mean_average_precision(logits, clips.labels)

    def test_map(self, trained: StageArtifact) -> float:
        """Returns a stored network's mean average precision on the test clips; computed once."""

        def work(folder: Path) -> None:
            write_json(folder / _SCORES, {"map": self.score(trained, self.data.test)})

        folder = self.run_dir / "scores" / trained.folder.name
        stages.run_stage(folder, {"network": trained.key, "clips": self.data.test.key}, work)
        return read_json(folder / _SCORES)["map"]

    def test_interval(self, trained: StageArtifact) -> tuple[float, float] | None:
        """Returns the 95 % interval of `test_map`, which resamples clips; computed once.

        It is None for a single clip.
        """
        test = self.data.test

        def work(folder: Path) -> None:
            logits = self.logits(load_network(trained.folder), test.audio)
            found = clustered_intervals(logits, test.labels, [str(row) for row in range(len(test))])
            write_json(folder / _INTERVAL, {"interval_95": found and found[0]})

        folder = self.run_dir / "intervals" / trained.folder.name
        stages.run_stage(folder, {"network": trained.key, "clips": test.key}, work)
        return read_json(folder / _INTERVAL)["interval_95"]

    def _save(self, folder: Path, network: keras.Model, spec: CNN10Spec) -> None:
        samples = self.data.train.audio.shape[0]
        save_network(folder, network, spec)
        save_signature(
            folder, ModelSignature(self.data.classes, self.front_end, samples, activation="sigmoid")
        )

    def _targets(self, teacher: StageArtifact | None) -> np.ndarray:
        labels = self.data.train.labels
        return (
            labels
            if teacher is None
            else pack_targets(labels, np.load(teacher.folder / _LOGITS, allow_pickle=False))
        )
