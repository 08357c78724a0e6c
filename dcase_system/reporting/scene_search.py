"""The page of a scene search: the chosen networks, accuracy against size and by growth."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dcase_system.papers import scene_search as paper
from dcase_system.reporting.content import Block, Note, Page, Table, Verdict, section
from dcase_system.reporting.derived import chance_sentence, interval_of, joined, length
from dcase_system.reporting.documents import missing, read_document, warnings
from dcase_system.reporting.json_tables import Column, limits, listed
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.scene_figures import accuracy_histograms
from dcase_system.reporting.scene_tables import (
    ACCURACY,
    LOSS,
    MACRO,
    PUBLISHED_ON,
    SUBMITTED,
    accuracy_intervals,
    chance_note,
    on_corpus,
    table3,
    table4,
    with_column,
)
from dcase_system.reporting.search_figures import MILLIONTH, accuracy_against_size
from dcase_system.reporting.tables import as_text
from dcase_system.reporting.training_figures import overlaid

EDITION = "2020 Task 1B"  # its limits decide the verdict
_EXPORTED = "tflite_float16"
_RULES = ("complexity", "rules", EDITION)
_METHOD, _MODEL = Column("search", ("method",)), Column("model", ("model",))
_ARCHITECTURE = Column("architecture", ("architecture",))
_PARAMETERS = Column("parameters", ("params",), ",")
_MACS = Column("MMACs", ("macs",), ".1f", MILLIONTH)
_FOUND = (_ARCHITECTURE, _MODEL, _METHOD, _PARAMETERS, _MACS, ACCURACY, LOSS)
_CANDIDATES = (
    _ARCHITECTURE,
    _METHOD,
    _PARAMETERS,
    Column("float32 KiB", ("float32_kib",), ".1f"),
    _MACS,
    ACCURACY,
    MACRO,
    LOSS,
    Column("front", ("on_front",), words={True: "front", False: ""}),
)
_FINAL = (
    _MODEL,
    _METHOD,
    *(
        replace(column, keys=("scores", SUBMITTED, *column.keys))
        for column in (ACCURACY, MACRO, LOSS)
    ),
    Column(".tflite accuracy %", ("scores", _EXPORTED, "clip_accuracy"), ".1f"),
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
    Column("mean KiB", ("mean_kib",), ".1f"),
)
_SIZES = (
    _METHOD,
    Column("mean KiB", ("mean_kib",), ".1f"),
    Column("largest distance KiB", ("largest_distance_kib",), ".1f"),
)
_CORRELATION = (
    _METHOD,
    Column("candidates", ("candidates",), ","),
    Column("different sizes", ("sizes",), ","),
    Column("rank correlation", ("rank_correlation",), ".2f"),
    Column("p", ("p_value",), ".3f"),
)


def scene_search_page(run_dir: Path) -> Page:
    """Builds the page of a scene search: chosen networks, candidates, trainings."""
    config = read_document(run_dir, "config.json")
    results = read_document(run_dir, "results.json")
    methods = config.texts("settings", "methods")
    selected = (
        "the dev-test clips themselves: the accuracy of the chosen ones is too optimistic"
        if config.get("settings", "select_on_test") is True
        else "held-out clips of the training list; the chosen ones scored on the dev-test clips"
    )
    return Page(
        title=f"Scene search: {' and '.join(methods)}",
        summary=f"Run {run_dir.resolve().name}; candidates selected on {selected}.",
        verdicts=list(_verdicts(results)),
        sections=[
            section("Chosen networks", [*warnings(config), *_chosen(results)]),
            section("Search", _search(results)),
            section("Training", _training(run_dir)),
            section("Origin", provenance(config)),
        ],
    )


def summary(run_dir: Path) -> str:
    """Summarizes for a terminal the chosen networks, the growths and the rank correlation."""
    results = read_document(run_dir, "results.json")
    tables = [*_best_tables(results), *_trend_tables(results)]
    return "\n\n".join(as_text(table) for table in tables)


def _verdicts(results: Document) -> Iterator[Verdict]:
    chance = chance_sentence(length(results, "classes"))
    for at, one in results.entries("chosen"):
        place, name = ("chosen", at), _name(one)
        scores = (*place, "scores", SUBMITTED)
        accuracy = results.number(*scores, "clip_accuracy")
        interval = interval_of(results, *scores, "intervals_95", "clip_accuracy")
        remark = joined([str(one.get("architecture"))], joined(interval, chance))
        yield Verdict(f"{name}: accuracy on the dev-test clips, %", accuracy, remark=remark)
        exported = results.number(*place, "scores", _EXPORTED, "clip_accuracy")
        yield Verdict(f"{name}: accuracy of the .tflite file, %", exported)
        for rule in limits(results, *place, *_RULES):
            yield replace(rule, name=f"{name}: {rule.name}", remark=EDITION)


def _name(chosen: Mapping[str, Any]) -> str:
    return f"{chosen.get('method')} {chosen.get('model')}"


def _best_tables(results: Document) -> list[Table]:
    clips = results.get("selected_on")
    title = f"A: the highest accuracy on the {clips} clips; B: the lowest loss on them"
    final = f"The same networks trained from scratch: dev-test clips, bytes as in {EDITION}"
    tables = [
        listed(results, ("chosen",), "chosen", title, _FOUND, across=True),
        listed(results, ("chosen",), "final", final, _FINAL, across=True),
    ]
    return [table for table in tables if table]


def _chosen(results: Document) -> Iterator[Block | None]:
    chosen = results.entries("chosen")
    if not chosen:
        yield missing(results, "chosen networks")
        return
    yield Note(
        "Accuracy is the share of all clips, as in the paper; macro is its mean over the "
        "classes, by which DCASE ranks systems. The loss is the mean binary cross-entropy of the "
        "segments, the paper's selection criterion."
    )
    yield chance_note(results)
    yield from _best_tables(results)
    yield accuracy_intervals(results, "chosen", _name)
    yield table4(results)
    yield table3(results, "chosen", _name)
    of_classes = [
        results.names("chosen", at, "scores", SUBMITTED, "class_wise") for at, _ in chosen
    ]
    by_class = [
        (
            name,
            *(
                results.number("chosen", at, "scores", SUBMITTED, "class_wise", name, "accuracy")
                for at, _ in chosen
            ),
        )
        for name in dict.fromkeys(name for names in of_classes for name in names)
    ]
    columns = ("class", *(f"{_name(one)} %" for _, one in chosen))
    yield Table("classes", "Accuracy by class, dev-test clips", columns, by_class)
    measures = (ACCURACY, MACRO, LOSS, Column("log loss", ("logloss",), ".3f"))
    variants = [
        (
            f"{_name(one)}, {variant}",
            *(measure.cell(results, "chosen", at, "scores", variant) for measure in measures),
        )
        for at, one in chosen
        for variant in results.names("chosen", at, "scores")
    ]
    title = f"Variants on the dev-test clips; {SUBMITTED} is submitted"
    headings = ("variant", *(measure.heading for measure in measures))
    yield Table("forms", title, headings, variants)


def _trend_tables(results: Document) -> list[Table]:
    title = f"Accuracy and size by growth of the width, {on_corpus(results)}"
    growth = listed(results, ("by_growth",), "growth", title, _GROWTH, across=True)
    sizes = "Mean sizes of the growths: their mean, and the largest deviation from it"
    found = listed(results, ("mean_sizes",), "sizes", sizes, _SIZES)
    if growth:
        published = {row[0]: row[1] for row in paper.FIGURE_4.rows}
        means = [published.get(row.get("growth")) for row in results.rows("by_growth")]
        cells = [None if mean is None else f"{mean} %" for mean in means]
        growth = with_column(growth, "published mean", cells)
    if found:
        cell = f"{paper.MEAN_SIZE_KB} ± {paper.SIZE_DEVIATION_KB} KB"
        found = with_column(found, "published", [cell] * len(found.rows))
    ranks = "Spearman's rank correlation of parameters and accuracy"
    ranked = listed(results, ("size_correlations",), "correlation", ranks, _CORRELATION)
    return [table for table in (growth, found, ranked) if table]


def _search(results: Document) -> Iterator[Block | None]:
    if not results.entries("candidates"):
        yield missing(results, "candidates")
        return
    yield Note(
        "A candidate is on the front of its search if no other beats it in accuracy, parameters "
        "and MACs together. For the architecture of a mark, point at it "
        "or open “Values” below the figure."
    )
    low, high = paper.MOST_CANDIDATES_PERCENT
    yield Note(
        f"Published, {PUBLISHED_ON}: most of {paper.CANDIDATES} candidates reach {low} to {high} %."
    )
    yield accuracy_against_size(results) or missing(results, "size of the candidates")
    yield from accuracy_histograms(results) or (missing(results, "histograms of accuracy"),)
    yield from _trend_tables(results) or (missing(results, "growths and rank correlation"),)
    yield listed(results, ("candidates",), "candidates", "All candidates", _CANDIDATES, long=True)


def _training(run_dir: Path) -> Iterator[Block | None]:
    logs = {path.name: f"{path.name}/metrics.jsonl" for path in sorted(run_dir.glob("final_*"))}
    finals = {name: read_document(run_dir, log) for name, log in logs.items()}
    picture = overlaid(finals, "final_loss", "Loss of the chosen networks from scratch")
    yield picture or Note("No logs of chosen networks in final_*/.")
    yield from (missing(log, f"log of {name}") for name, log in finals.items() if not log.rows())
    paths = sorted((run_dir / "metrics").glob("*.jsonl"))
    candidates = {path.stem: read_document(run_dir, f"metrics/{path.name}") for path in paths}
    title = "Loss of each candidate; point at a line to see which"
    picture = overlaid(candidates, "candidate_loss", title)
    yield picture or Note("No logs of candidates in metrics/.")
