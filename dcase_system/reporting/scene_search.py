"""Tables and figures of a scene search, from its results: accuracy against size and by growth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from dcase_system.complexity.rules import KIB
from dcase_system.files import replacing, write_text
from dcase_system.reporting.tables import as_csv, markdown
from dcase_system.stages import provenance

_INCHES, _DPI = (9.0, 4.0), 150
_MARKS = {"random": "o", "nsga2": "^"}
_FEWEST = 5  # candidates that a rank correlation is given for

Rows = Sequence[Mapping[str, Any]]


def write_analysis(run_dir: Path, results: Mapping[str, Any]) -> None:
    """Writes `candidates.csv`, `growth.csv`, `chosen.csv`, `report.md` and `figures/search.png`.

    Args:
        run_dir: of the run, with its `config.json`.
        results: content of its `results.json`.
    """
    candidates, growths = results["candidates"], by_growth(results["candidates"])
    chosen = chosen_rows(results)
    for name, rows in (("candidates", candidates), ("growth", growths), ("chosen", chosen)):
        write_text(run_dir / f"{name}.csv", as_csv(rows))
    text = f"{report(results)}\n{provenance(run_dir)}\n"
    write_text(run_dir / "report.md", text)
    _draw(run_dir / "figures" / "search.png", candidates, results["selected_on"])


def report(results: Mapping[str, Any]) -> str:
    """The tables as Markdown, and whether size and accuracy go together."""
    lines = [markdown(chosen_rows(results)), "", markdown(by_growth(results["candidates"])), ""]
    for method, row in size_correlation(results["candidates"]).items():
        lines.append(f"{method}: rank correlation of size and accuracy {row}\n")
    return "\n".join(lines)


def chosen_rows(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """For each method its best candidate: in the search, and from scratch on the dev-test clips."""
    return [
        {
            "search": one["method"],
            "architecture": one["architecture"],
            "parameters": f"{one['params']:,}",
            "MMACs": f"{one['macs'] / 1e6:.1f}",
            "float16 KiB of 500": f"{one['size_2020'] / KIB:.1f}",
            f"{results['selected_on']} accuracy %": f"{one['accuracy']:.1f}",
            "test accuracy %": f"{one['scores']['keras_float16']['accuracy']:.1f}",
            "test log loss": f"{one['scores']['keras_float16']['logloss']:.3f}",
            "test accuracy % of the .tflite": f"{one['scores']['tflite_float16']['accuracy']:.1f}",
        }
        for one in results["chosen"]
    ]


def by_growth(candidates: Rows) -> list[dict[str, str]]:
    """Candidates, mean and best accuracy of each growth and method."""
    rows = []
    for method, growth in sorted({(one["method"], one["growth"]) for one in candidates}):
        accuracies = [
            one["accuracy"]
            for one in candidates
            if (one["method"], one["growth"]) == (method, growth)
        ]
        rows.append(
            {
                "search": method,
                "growth": f"{growth:g}",
                "candidates": str(len(accuracies)),
                "mean accuracy %": f"{np.mean(accuracies):.1f}",
                "best accuracy %": f"{max(accuracies):.1f}",
            }
        )
    return rows


def size_correlation(candidates: Rows) -> dict[str, str]:
    """Spearman's rank correlation of parameters and accuracy for each method, in words."""
    found = {}
    for method in dict.fromkeys(one["method"] for one in candidates):
        of_it = [one for one in candidates if one["method"] == method]
        params, accuracies = zip(*((one["params"], one["accuracy"]) for one in of_it), strict=True)
        if len(set(params)) < _FEWEST or len(set(accuracies)) < 2:
            found[method] = "not defined: too few candidates"
            continue
        rank = spearmanr(params, accuracies)
        found[method] = f"{rank.statistic:.2f} (p = {rank.pvalue:.2f}, {len(of_it)} candidates)"
    return found


def _draw(path: Path, candidates: Rows, selected_on: str) -> None:
    figure = Figure(_INCHES, layout="constrained")
    sizes, growths = figure.subplots(1, 2, sharey=True)
    for method, mark in _MARKS.items():
        of_it = [one for one in candidates if one["method"] == method]
        if not of_it:
            continue
        kib = [one["params"] * 4 / KIB for one in of_it]
        accuracies = [one["accuracy"] for one in of_it]
        sizes.plot(kib, accuracies, mark, label=method, alpha=0.7)
        shift = 0.03 * list(_MARKS).index(method)
        growth = [one["growth"] + shift for one in of_it]
        growths.plot(growth, accuracies, mark, label=method, alpha=0.7)
    sizes.set_xlabel("float32 parameters, KiB")
    sizes.set_ylabel(f"{selected_on} accuracy, %")
    growths.set_xlabel("growth of the width from block to block")
    # Beside the panels: points may lie anywhere in them.
    figure.legend(*growths.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)  # not pyplot, which holds on to figures
