"""The available files of a student's run directory."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcase_system.reporting.documents import read_document
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.training_figures import LoggedStage


@dataclass(frozen=True)
class Run:
    """The available files of a student's run.

    Attributes:
        name: Display name of the run.
        config: `config.json`.
        scores: `dev_test/scores.json`.
        complexity: `complexity.json`.
        sparsity: `sparsity.json`.
        cards: Cards of its `.tflite` files, by the name of the variant in the scores.
        teachers: `teachers.json`.
        published: `published.json`.
        devices: `devices/scores.json`, of the device-specific networks.
        device_costs: `devices/complexity.json`.
        stages: Logs of the training stages, in order.
    """

    name: str
    config: Document
    scores: Document
    complexity: Document
    sparsity: Document
    cards: Mapping[str, Document]
    teachers: Document
    published: Document
    devices: Document
    device_costs: Document
    stages: Sequence[LoggedStage]

    @property
    def submitted(self) -> str:
        """Name of the submitted variant."""
        return str(self.scores.get("submitted_form"))

    @property
    def several_labels(self) -> bool:
        """Whether its clips may have several labels each."""
        return self.scores.number("forms", self.submitted, "overall", "map") is not None

    @property
    def system(self) -> str | None:
        """Name of the system in the report or the package; None for a run without one."""
        return self.config.get("settings", "system")

    @property
    def is_device_specific(self) -> bool:
        """Whether a copy of the network was fine-tuned for each device."""
        return bool(self.config.get("settings", "device_specific"))

    @property
    def network(self) -> str:
        """Name of the network that training starts with, and whether it is pruned afterwards."""
        name = self.config.get("settings", "plan", "architecture") or "unknown network"
        return f"{name}, pruned" if self.config.rows("settings", "plan", "rounds") else str(name)

    @property
    def described(self) -> str:
        """Name of the system, if it has one, and of its network."""
        return f"{self.system} (network {self.network})" if self.system else self.network

    @property
    def scenes(self) -> list[str]:
        """Returns the class names in label order."""
        return self.config.texts("settings", "scenes")


def read_run(run_dir: Path) -> Run:
    """Reads the available files of a run."""

    def document(name: str) -> Document:
        return read_document(run_dir, name)

    config = document("config.json")
    stages = [
        LoggedStage(name, document(f"{name}.metrics.jsonl"), document(f"{name}.pruning.jsonl"))
        for name in config.texts("settings", "stages")[:-1]
    ]
    scores = document("dev_test/scores.json")
    cards = {
        variant: document(f"edge/{variant.replace('tflite_', 'student_', 1)}.json")
        for variant in scores.names("forms")
        if re.fullmatch(r"tflite_\w+", variant)
    }
    stages.append(LoggedStage("student", document("metrics.jsonl"), document("pruning.jsonl")))
    return Run(
        name=run_dir.resolve().name,
        config=config,
        scores=scores,
        complexity=document("complexity.json"),
        sparsity=document("sparsity.json"),
        cards=cards,
        teachers=document("teachers.json"),
        published=document("published.json"),
        devices=document("devices/scores.json"),
        device_costs=document("devices/complexity.json"),
        stages=stages,
    )
