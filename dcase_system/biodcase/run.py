"""Runs a training for the contest: features, network, files, scores, rank."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dcase_system import runs
from dcase_system.audio.integer_mel import IntegerMelSpec
from dcase_system.biodcase.features import Features, load_features
from dcase_system.biodcase.rank import measured, modelled, rank_terms
from dcase_system.biodcase.submitted import measure, write_files
from dcase_system.biodcase.training import TinyPlan, spec_for, trained_network
from dcase_system.core.files import read_json, write_json
from dcase_system.corpora.lists import Lists
from dcase_system.models import registry
from dcase_system.models.stored import load_network, save_network
from dcase_system.runs import stages
from dcase_system.training.log import TENSORBOARD, TrainingLog

RESULTS = "results.json"
_NETWORK, _SUBMITTED = "network", "submitted"


@dataclass(frozen=True)
class TinyRun:
    """A finished run.

    Attributes:
        files: Folder of the submitted files.
        classes: Class names in label order.
        plan: Hyper-parameters.
        results: Content of `results.json`: `measured`, `modelled`, `rank_terms`, `rank_score`.
    """

    files: Path
    classes: tuple[str, ...]
    plan: TinyPlan
    results: Mapping[str, Any]


def settings_of(plan: TinyPlan, front_end: IntegerMelSpec) -> dict[str, Any]:
    """Collects what decides the results of a run beside its clips, for `runs.check`."""
    return {"kind": "biodcase", "plan": asdict(plan), "front_end": asdict(front_end)}


def run_tiny(
    run_dir: Path,
    plan: TinyPlan,
    lists: Lists,
    corpus_key: str,
    front_end: IntegerMelSpec,
    *,
    overwrite: bool = False,
) -> TinyRun:
    """Trains a network, scores its files and writes a report; finished stages are not repeated.

    Args:
        run_dir: Run directory.
        plan: Hyper-parameters.
        lists: Training and test clips: 16-bit WAV files of 3 s at the front end's rate.
        corpus_key: Identity of the clips.
        front_end: Front end.
        overwrite: Whether to remove an existing run from the directory first.

    Raises:
        InputError: The directory holds something else or another process runs in it, see
            `runs.begun`; a clip has another format; the network does not fit the features; or
            training diverges.
    """
    settings = {**settings_of(plan, front_end), "corpus": corpus_key, **lists.record}
    # Imports matplotlib and jinja, which other users of this module do not need.
    from dcase_system.reporting.report import write_report

    with runs.begun(run_dir, settings, overwrite=overwrite):
        features = load_features(run_dir / "features", lists, corpus_key, front_end)
        spec = spec_for(plan, len(features.classes), features.train.shape)

        def train(target: Path, checkpoint: Path) -> None:
            log = TrainingLog(run_dir / "metrics.jsonl", run_dir / TENSORBOARD / _NETWORK)
            network = trained_network(
                spec, features.train, plan, checkpoint=checkpoint, metrics_log=log
            )
            save_network(target, network, spec)

        inputs = {"spec": registry.spec_to_json(spec), "plan": asdict(plan), "clips": features.key}
        trained = stages.run_training(run_dir / _NETWORK, inputs, train)
        stages.run_stage(
            run_dir / _SUBMITTED,
            {"network": trained},
            lambda target: write_files(
                target, load_network(run_dir / _NETWORK), features.train, plan.seed
            ),
        )
        files = run_dir / _SUBMITTED
        write_json(run_dir / RESULTS, _results(files, features))
        write_report(run_dir)
    return TinyRun(files, features.classes, plan, read_json(run_dir / RESULTS))


def _results(files: Path, features: Features) -> dict[str, Any]:
    measures = measure(files, features)
    values, costs = measured(measures), modelled(measures.board)
    terms = rank_terms({**values, **costs})
    return {
        "measured": values,
        "modelled": costs,
        "rank_terms": terms,
        "rank_score": sum(terms.values()),
    }
