"""The page of a scene search: the chosen networks, accuracy against size and by growth."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dcase_system.reporting.content import Block, Document, Note, Page, Table, Verdict, section
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.listings import Column, limits, listed
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.search_figures import (
    MILLIONTH,
    accuracy_against_size,
    accuracy_by_growth,
)
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.training_figures import overlaid

EDITION = "2020 Task 1B"  # whose limits the verdict is by
_SUBMITTED, _EXPORTED = "keras_float16", "tflite_float16"
_RULES = ("complexity", "rules", EDITION)
_METHOD = Column("search", ("method",))
_ARCHITECTURE = Column("architecture", ("architecture",))
_COSTS = (
    Column("parameters", ("params",), ","),
    Column("float32 KiB", ("float32_kib",), ".1f"),
    Column("MMACs", ("macs",), ".1f", MILLIONTH),
)
_FINAL = (
    _METHOD,
    Column("accuracy %", ("scores", _SUBMITTED, "accuracy"), ".1f"),
    Column("log loss", ("scores", _SUBMITTED, "logloss"), ".3f"),
    Column(".tflite accuracy %", ("scores", _EXPORTED, "accuracy"), ".1f"),
    Column("bytes counted", (*_RULES, 0, "value"), ","),
    Column("limit", (*_RULES, 0, "limit"), ","),
    Column("verdict", (*_RULES, 0, "complies"), words={True: "complies", False: "OVER"}),
)
_GROWTH = (
    _METHOD,
    Column("growth", ("growth",), "g"),
    Column("candidates", ("candidates",), ","),
    Column("mean accuracy %", ("mean_accuracy",), ".1f"),
    Column("best accuracy %", ("best_accuracy",), ".1f"),
)
_CORRELATION = (
    _METHOD,
    Column("candidates", ("candidates",), ","),
    Column("different sizes", ("sizes",), ","),
    Column("rank correlation", ("rank_correlation",), ".2f"),
    Column("p", ("p_value",), ".3f"),
)


def scene_search_page(run_dir: Path) -> Page:
    """The page of a scene search: what it chose, what it scored, how that was trained."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    methods = config.texts("settings", "methods")
    selected = (
        "the dev-test clips themselves: the accuracy of what was chosen is too high"
        if config.get("settings", "select_on_test") is True
        else "clips held out of the training list; the chosen ones scored on the dev-test clips"
    )
    return Page(
        title=f"Scene search: {' and '.join(methods)}",
        summary=f"Run {run_dir.resolve().name}; candidates selected on {selected}.",
        verdicts=list(_verdicts(results)),
        sections=[
            section("Chosen networks", [*warnings(config), *_chosen(results)]),
            section("Search", _search(results)),
            section("Training", _training(run_dir, methods)),
            section("Origin", provenance(config)),
        ],
    )


def summary(run_dir: Path) -> str:
    """For a terminal: the chosen networks, the growths, and whether accuracy goes with size."""
    results = read_document(run_dir, "results.json")
    tables = [*_best_tables(results), *_trend_tables(results)]
    return "\n\n".join(as_text(table) for table in tables)


def _verdicts(results: Document) -> Iterator[Verdict]:
    for at, one in results.entries("chosen"):
        place = ("chosen", at)
        accuracy = results.number(*place, "scores", _SUBMITTED, "accuracy")
        name = f"{one.get('method')}: macro accuracy on the dev-test clips, %"
        yield Verdict(name, accuracy, remark=str(one.get("architecture")))
        exported = results.number(*place, "scores", _EXPORTED, "accuracy")
        yield Verdict(f"{one.get('method')}: the same of the .tflite, %", exported)
        for rule in limits(results, *place, *_RULES):
            yield replace(rule, name=f"{one.get('method')}: {rule.name}", remark=EDITION)


def _best_tables(results: Document) -> list[Table]:
    accuracy = Column(f"{results.get('selected_on')} accuracy %", ("accuracy",), ".1f")
    title = "The best candidate of each search"
    found = (_METHOD, _ARCHITECTURE, *_COSTS, accuracy)
    tables = [
        listed(results, ("chosen",), "chosen", title, found, across=True),
        listed(
            results,
            ("chosen",),
            "final",
            f"The same trained from scratch: dev-test clips, bytes as in {EDITION}",
            _FINAL,
            across=True,
        ),
    ]
    return [table for table in tables if table]


def _chosen(results: Document) -> Iterator[Block | None]:
    chosen = results.entries("chosen")
    if not chosen:
        yield missing(results, "chosen networks")
        return
    yield from _best_tables(results)
    of_classes = [
        results.names("chosen", at, "scores", _SUBMITTED, "class_wise") for at, _ in chosen
    ]
    by_class = [
        (
            name,
            *(
                results.number("chosen", at, "scores", _SUBMITTED, "class_wise", name, "accuracy")
                for at, _ in chosen
            ),
        )
        for name in dict.fromkeys(name for names in of_classes for name in names)
    ]
    columns = ("class", *(f"{one.get('method')} %" for _, one in chosen))
    yield Table("classes", "Accuracy by class, dev-test clips", columns, by_class)
    forms = [
        (
            f"{one.get('method')}, {form}",
            results.number("chosen", at, "scores", form, "accuracy", spec=".2f"),
            results.number("chosen", at, "scores", form, "logloss", spec=".3f"),
        )
        for at, one in chosen
        for form in results.names("chosen", at, "scores")
    ]
    title = f"Each form on the dev-test clips; {_SUBMITTED} is handed in"
    yield Table("forms", title, ("form", "accuracy %", "log loss"), forms)


def _trend_tables(results: Document) -> list[Table]:
    title = "Accuracy by growth of the width from block to block"
    ranks = "Spearman's rank correlation of parameters and accuracy"
    tables = [
        listed(results, ("by_growth",), "growth", title, _GROWTH),
        listed(results, ("size_correlations",), "correlation", ranks, _CORRELATION),
    ]
    return [table for table in tables if table]


def _search(results: Document) -> Iterator[Block | None]:
    if not results.entries("candidates"):
        yield missing(results, "candidates")
        return
    yield Note(
        "On the front of its search is a candidate that no other beats in accuracy, parameters and "
        "MACs together. Point at a mark to see its architecture."
    )
    yield accuracy_against_size(results) or missing(results, "size of the candidates")
    yield accuracy_by_growth(results) or missing(results, "growth of the candidates")
    yield from _trend_tables(results) or (missing(results, "growths and rank correlation"),)
    columns = (
        _ARCHITECTURE,
        _METHOD,
        *_COSTS,
        Column("accuracy %", ("accuracy",), ".1f"),
        Column("log loss", ("loss",), ".3f"),
        Column("front", ("on_front",), words={True: "front", False: ""}),
    )
    table = listed(results, ("candidates",), "candidates", "All candidates", columns, long=True)
    yield table


def _training(run_dir: Path, methods: list[str]) -> Iterator[Block | None]:
    logs = {method: f"final_{method}/metrics.jsonl" for method in methods}
    finals = {method: read_document(run_dir, name) for method, name in logs.items()}
    picture = overlaid(finals, "final_loss", "Loss of the chosen networks from scratch")
    yield picture
    yield from (missing(log, f"log of {name}") for name, log in finals.items() if not log.rows())
    paths = sorted((run_dir / "metrics").glob("*.jsonl"))
    candidates = {path.stem: read_document(run_dir, f"metrics/{path.name}") for path in paths}
    title = "Loss of each candidate; point at a line to see which"
    picture = overlaid(candidates, "candidate_loss", title)
    yield picture or Note("No logs of candidates in metrics/.")
