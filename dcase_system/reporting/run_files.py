"""The files of a student's run directory, as far as they are there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcase_system.reporting.content import Document
from dcase_system.reporting.documents import read_document
from dcase_system.reporting.training_figures import LoggedStage


@dataclass(frozen=True)
class Run:
    """The files of a student's run, as far as they are there.

    Attributes:
        name: of the run, for people.
        config: `config.json`.
        scores: `dev_test/scores.json`.
        complexity: `complexity.json`.
        sparsity: `sparsity.json`.
        cards: of its `.tflite` files, by the form that the scores name.
        teachers: `teachers.json`.
        published: `published.json`.
        stages: what each training has logged, in their order.
    """

    name: str
    config: Document
    scores: Document
    complexity: Document
    sparsity: Document
    cards: Mapping[str, Document]
    teachers: Document
    published: Document
    stages: Sequence[LoggedStage]

    @property
    def submitted(self) -> str:
        """Form that is handed in."""
        return str(self.scores.get("submitted_form"))

    @property
    def scenes(self) -> list[str]:
        """Class names in label order."""
        return self.config.texts("settings", "scenes")


def read_run(run_dir: Path) -> Run:
    """Reads what is there of a run."""

    def document(name: str) -> Document:
        return read_document(run_dir, name)

    config = document("config.json")
    stages = [
        LoggedStage(name, document(f"{name}.metrics.jsonl"), document(f"{name}.pruning.jsonl"))
        for name in _earlier_stages(config)
    ]
    scores = document("dev_test/scores.json")
    cards = {
        form: document(f"edge/{form.replace('tflite_', 'student_', 1)}.json")
        for form in scores.names("forms")
        if re.fullmatch(r"tflite_\w+", form)
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
        stages=stages,
    )


def _earlier_stages(config: Document) -> Iterator[str]:
    """Names of the stages before the student, as `student.plan.steps` gives them."""
    rounds = config.rows("settings", "plan", "rounds")
    names = ["wide"]
    for index, pruning in enumerate(rounds, 1):
        names += [f"pruned{index}", *([f"tuned{index}"] if pruning.get("tuning_epochs") else [])]
    yield from names[:-1]
