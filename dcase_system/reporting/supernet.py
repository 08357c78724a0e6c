"""Tables and figures of a supernet's run, from its results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dcase_system.files import replacing, write_text
from dcase_system.reporting.tables import as_csv, markdown

_INCHES, _DPI = (6.0, 4.0), 150
_MILLION = 1e6
_DASHES = {"random": "-", "evolution": "--"}


def write_tables(run_dir: Path, results: Mapping[str, Any]) -> None:
    """Writes `table1`, `table2`, `figure3` and `figure4` as `.csv`, the tables as `.md` too.

    Scores are mean average precision on the test clips; those of the figures, on the validation
    clips that were searched on.

    Args:
        run_dir: of the run.
        results: content of its `results.json`.
    """
    for name in ("table1", "table2"):
        write_text(run_dir / f"{name}.csv", as_csv(results[name]))
        write_text(run_dir / f"{name}.md", as_markdown(results[name]))
    write_text(run_dir / "figure3.csv", as_csv(best_of_spaces(results)))
    write_text(run_dir / "figure4.csv", as_csv(all_scored(results)))


def write_figures(run_dir: Path, results: Mapping[str, Any]) -> None:
    """Writes `figure3.png`, search spaces against each other, and `figure4.png`, the front."""
    figure = Figure(_INCHES, layout="constrained")
    axes = figure.subplots()
    rows = best_of_spaces(results)
    for pattern in results["spaces"]:
        for method, dashes in _DASHES.items():
            of_it = [row for row in rows if (row["space"], row["search"]) == (pattern, method)]
            if of_it:
                label = f"[{pattern}] {method}"
                axes.plot(_millions(of_it), _scores(of_it), "o" + dashes, label=label)
    _save(figure, run_dir / "figure3.png", "best found on the validation clips, mAP")
    figure = Figure(_INCHES, layout="constrained")
    axes = figure.subplots()
    rows = all_scored(results)
    axes.scatter(_millions(rows), _scores(rows), s=8, color="0.6", label="scored")
    front = [row for row in rows if row["on_front"]]
    axes.plot(_millions(front), _scores(front), "o-", label="front")
    _save(figure, run_dir / "figure4.png", "sub-networks on the validation clips, mAP")


def best_of_spaces(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best sub-network of each space, search and budget: the rows of Figure 3."""
    return [
        {
            "space": pattern,
            "search": method,
            "budget": searched["budget"],
            "params": searched[method][0]["params"],
            "score": searched[method][0]["score"],
        }
        for pattern, of_space in results["spaces"].items()
        for searched in of_space
        for method in _DASHES
        if method in searched
    ]


def all_scored(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every sub-network of the first space that was scored, by size: the rows of Figure 4.

    On the front is what no smaller one equals.
    """
    of_space = next(iter(results["spaces"].values()))
    scored = {
        str(one["ratios"]): one
        for searched in of_space
        for method in _DASHES
        for one in searched.get(method, ())
    }
    rows, best = [], -1.0
    for one in sorted(scored.values(), key=lambda one: (one["params"], -one["score"])):
        on_front = one["score"] > best
        best = max(best, one["score"])
        columns = {name: one[name] for name in ("params", "macs", "score")}
        ratios = "|".join("-".join(f"{r:g}" for r in block) for block in one["ratios"])
        rows.append({"ratios": ratios, **columns, "on_front": int(on_front)})
    return rows


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal columns as a table: parameters in thousands groups, scores in percent."""

    def cell(name: str, value: Any) -> str:
        if "params" in name:
            return f"{value:,}"
        return f"{100 * value:.1f}" + (" %" if name == "budget" else "")

    return markdown([{name: cell(name, value) for name, value in row.items()} for row in rows])


def _millions(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [row["params"] / _MILLION for row in rows]


def _scores(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [row["score"] for row in rows]


def _save(figure: Figure, path: Path, label: str) -> None:
    axes = figure.axes[0]
    axes.set_xlabel("parameters, millions")
    axes.set_ylabel(label)
    axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)  # not pyplot, which holds on to figures
