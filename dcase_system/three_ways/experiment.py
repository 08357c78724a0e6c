"""Runs the ways to a small network side by side, and puts their results together."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from scipy.stats import kendalltau

from dcase_system import runs
from dcase_system.audio.clips import Data
from dcase_system.audio.impulse_responses import ImpulseResponses
from dcase_system.complexity import rules
from dcase_system.core.errors import InputError
from dcase_system.core.files import write_json
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.edge.checked_export import export_checked, sample_calibration_rows
from dcase_system.models import registry
from dcase_system.models.signature import load_signature
from dcase_system.models.stored import SPEC, load_network
from dcase_system.runs import stages
from dcase_system.supernet.costs import costs_of
from dcase_system.three_ways.plan import LEAST_SHARE, ThreeWaysPlan, budget_name, settings_of
from dcase_system.three_ways.processor_time import ProcessorTime
from dcase_system.three_ways.scores import difference, scored
from dcase_system.three_ways.ways import Made, Way, Ways

RESULTS, HOURS = "results.json", "hours.json"
_PAIRS: tuple[tuple[Way, Way], ...] = (
    *(("tuned", "pruned"), ("tuned", "dense"), ("tuned", "inherited")),
    *(("pruned", "dense"), ("tuned", "random")),
)
Row = dict[str, Any]


def run_three_ways(
    run_dir: Path,
    plan: ThreeWaysPlan,
    data: Data,
    *,
    ensemble: Ensemble | None = None,
    impulse_responses: ImpulseResponses | None = None,
    overwrite: bool = False,
) -> Row:
    """Runs or resumes a comparison; writes `results.json`, `hours.json` and `report.html`.

    Args:
        run_dir: Run directory; finished stages are kept, interrupted trainings resume.
        plan: Settings.
        data: Clips, of one label each.
        ensemble: Teachers of all trainings, or None.
        impulse_responses: Responses for device augmentation, if the plan uses it.
        overwrite: Whether to remove an existing run from the directory first.

    Returns:
        The content of `results.json`, which holds no times.

    Raises:
        InputError: The directory holds something else or another process runs in it, see
            `runs.begun`; clips have several labels; no network of a way is within a budget; or a
            training diverges.
    """
    # Imports matplotlib and jinja, which other users of this module do not need.
    from dcase_system.reporting.report import write_report

    if data.several_labels:
        raise InputError("clips have several labels", where="three ways", expected="one each")
    settings = settings_of(plan, data.split, data.record, ensemble, impulse_responses)
    with runs.begun(run_dir, settings, overwrite=overwrite):
        clock = ProcessorTime(run_dir)
        repetitions = [
            Ways(run_dir / f"seed{seed}", plan, seed, data, ensemble, impulse_responses, clock)
            for seed in plan.seeds
        ]
        repetitions[0].check()
        results, made = _results(repetitions, plan, data)
        write_json(run_dir / RESULTS, results)
        write_json(run_dir / HOURS, _hours(made, plan, clock.seconds(), run_dir))
        write_report(run_dir)
    return results


def _results(
    repetitions: Sequence[Ways], plan: ThreeWaysPlan, data: Data
) -> tuple[Row, Mapping[Way, Mapping[int, Sequence[Made]]]]:
    ways: tuple[Way, ...] = ("dense", "pruned", "inherited", "tuned")
    if plan.candidates:
        ways = (*ways, "random")
    made = {
        way: {macs: [one.made(way, macs) for one in repetitions] for macs in plan.budgets}
        for way in ways
    }
    scores = {
        way: {
            macs: [
                scored(one.run_dir, network.network, data)
                for one, network in zip(repetitions, made[way][macs], strict=True)
            ]
            for macs in plan.budgets
        }
        for way in ways
    }
    results = {
        "networks": [
            {"way": way, "budget": macs, "seed": seed, **_without_clips(row)}
            for way in ways
            for macs in plan.budgets
            for seed, row in zip(plan.seeds, scores[way][macs], strict=True)
        ],
        "means": [
            {
                **{"way": way, "budget": macs},
                **{
                    key: fmean(row[key] for row in scores[way][macs])
                    for key in ("accuracy", "logloss", "macs", "params", "bytes")
                },
            }
            for way in ways
            for macs in plan.budgets
        ],
        "differences": [
            {
                **{"budget": macs, "way": way, "of": other},
                **difference(scores[way][macs], scores[other][macs], data),
            }
            for way, other in _PAIRS
            if other in ways
            for macs in plan.budgets
        ],
        "ranking": _ranking(repetitions[0], plan),
        "files": [_exported(repetitions[0], made["tuned"][macs][0], macs) for macs in plan.budgets]
        if plan.formats
        else [],
    }
    return results, made


def _without_clips(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "correct"}


def _ranking(ways: Ways, plan: ThreeWaysPlan) -> Row | None:
    """Compares held-out scores of inherited weights with those of separate trainings."""
    if plan.ranked < 2:
        return None
    low, high = LEAST_SHARE * min(plan.budgets), max(plan.budgets)
    rows = []
    for index, spec in enumerate(ways.search.spread(low, high, plan.ranked, ways.seed)):
        costs, alone = costs_of(spec), ways.alone(f"ranked_{index}", spec)
        rows.append(
            {
                **{"macs": costs.macs, "params": costs.params},
                **{"spec": ways.space.name(spec), "inherited": ways.search.score(spec)},
                "alone": ways.held_out_score(alone),
            }
        )
    tau = kendalltau([row["inherited"] for row in rows], [row["alone"] for row in rows])
    known = tau.statistic == tau.statistic  # undefined if all scores are equal
    found = (float(tau.statistic), float(tau.pvalue)) if known else (None, None)
    return {"kendall_tau": found[0], "p_value": found[1], "rows": rows}


def _exported(ways: Ways, made: Made, macs: int) -> Row:
    """Exports a network, with its complexity report; returns the place of both."""
    folder, plan, data = ways.run_dir / f"edge_{budget_name(macs)}", ways.plan, ways.data

    def work(target: Path) -> None:
        network, signature = load_network(made.network), load_signature(made.network)
        rows = sample_calibration_rows(len(data.train), ways.seed)
        names = [data.train.clips.filenames[row] for row in rows]
        clips = data.train.audio.take(rows)
        export_checked(network, signature, clips, names, target, plan.formats, name="tuned")
        fixed = registry.at_fixed_length(network, registry.read_spec(made.network / SPEC))
        report = rules.report(fixed, target_macs=macs, target_bytes=plan.max_bytes)
        write_json(target / "complexity.json", report)

    inputs = {"network": stages.read_stage(made.network)["key"], "formats": plan.formats}
    stages.run_stage(folder, inputs, work)
    return {"budget": macs, "folder": f"{ways.run_dir.name}/{folder.name}"}


def _hours(
    made: Mapping[Way, Mapping[int, Sequence[Made]]],
    plan: ThreeWaysPlan,
    seconds: Mapping[str, float],
    run_dir: Path,
) -> list[Row]:
    """Mean processor hours of a repetition: of each budget by itself, and of all together."""

    def hours(networks: Sequence[Made]) -> float:
        folders = {stage for network in networks for stage in network.stages}
        total = sum(seconds.get(str(one.relative_to(run_dir)), 0.0) for one in folders)
        return total / 3600 / len(plan.seeds)

    return [
        {
            "way": way,
            "each": [{"budget": macs, "hours": hours(by_budget[macs])} for macs in plan.budgets],
            "all": hours([one for networks in by_budget.values() for one in networks]),
        }
        for way, by_budget in made.items()
    ]
