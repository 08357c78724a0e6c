"""The results of a finished run of a challenge system, read back from its directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcase_system.challenge.devices import COSTS, SCORES, DeviceResults, evaluation_output
from dcase_system.challenge.student.plan import STUDENT
from dcase_system.core.errors import InputError
from dcase_system.core.files import read_json
from dcase_system.corpora import tau
from dcase_system.runs import stages


@dataclass(frozen=True)
class SplitRun:
    """Results of a finished run.

    Attributes:
        directory: Run directory.
        settings: `settings` from `config.json`.
        scores: Content of `dev_test/scores.json`.
        complexity: Content of `complexity.json`.
        sparsity: Content of `sparsity.json`.
        output: Evaluation output file, or None without an evaluation set.
        devices: Results of the device-specific networks, or None for a run without them.
    """

    directory: Path
    settings: dict[str, Any]
    scores: dict[str, Any]
    complexity: dict[str, Any]
    sparsity: dict[str, Any]
    output: Path | None
    devices: DeviceResults | None = None

    @property
    def split(self) -> int:
        """Size of the training list, in percent."""
        return self.settings["split"]


def load_run(run_dir: Path) -> SplitRun:
    """Reads the results of a finished run.

    Raises:
        InputError: The directory holds no finished run.
    """

    def read(name: str) -> dict[str, Any]:
        try:
            values = read_json(run_dir / name)
        except (OSError, ValueError) as error:
            raise InputError(f"not a finished run ({error})", where=run_dir / name) from error
        if not isinstance(values, dict):
            raise InputError("not a finished run", where=run_dir / name, expected="an object")
        return values

    settings = read("config.json").get("settings")
    if not isinstance(settings, dict) or settings.get("split") not in tau.SPLITS:
        raise InputError(
            "not the settings of a run", where=run_dir / "config.json", expected="settings, a split"
        )
    scores, complexity = read("dev_test/scores.json"), read("complexity.json")
    output: Path | None = run_dir / "evaluation" / output_file(settings["split"])
    inputs = stages.read_stage(run_dir / "evaluation").get("inputs")
    predicted = inputs.get("student") if isinstance(inputs, dict) else None
    if predicted is None or predicted != stages.read_stage(run_dir / STUDENT).get("key"):
        output = None  # no evaluation set, or predictions of an earlier student
    devices = None
    if settings.get("device_specific"):
        devices = DeviceResults(read(SCORES), read(COSTS), evaluation_output(run_dir))
    sparsity = read("sparsity.json")
    return SplitRun(run_dir, settings, scores, complexity, sparsity, output, devices)


def output_file(split: int) -> str:
    """Returns the name of the output file in the folder `evaluation` of a run."""
    return f"output.split_{split}.csv"
