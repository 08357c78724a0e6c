"""The page of a student's run, from the files of its run directory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dcase_system.reporting.content import Block, Note, Page, Table, Verdict, section
from dcase_system.reporting.derived import SCENES, chance_level, length
from dcase_system.reporting.documents import missing
from dcase_system.reporting.json_tables import Column, limits, listed, published_on
from dcase_system.reporting.numbers import is_number
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.rejection import rejection_notes
from dcase_system.reporting.result_figures import confusion, intervals
from dcase_system.reporting.run_complexity import EDITION, TARGET, complexity
from dcase_system.reporting.run_devices import device_networks
from dcase_system.reporting.run_files import Run, read_run
from dcase_system.reporting.run_variants import (
    accuracy_context,
    device_files,
)
from dcase_system.reporting.run_warnings import run_warnings
from dcase_system.reporting.search_figures import MILLIONTH, PERCENT
from dcase_system.reporting.teachers_page import ensemble_tables
from dcase_system.reporting.training_figures import curve, pruning_trajectory

_TRAINING_ACCURACY = "Accuracy on the augmented training clips"
_PARTS = {"device_group": "group_wise", "device": "device_wise", "scene": "class_wise"}


def run_page(run_dir: Path) -> Page:
    """Builds the page of a student's run: verdict, scores, trainings, costs, files, origin."""
    run = read_run(run_dir)
    split = run.config.get("settings", "split")
    taught = "teachers" if run.config.get("settings", "teachers") else "labels only"
    return Page(
        title=f"{run.system or run.network} on split{split}" if split else run.name,
        summary=f"Run {run.name}: {run.described}, trained with {taught}; scored once on the "
        "dev-test clips.",
        verdicts=list(verdicts(run)),
        sections=[
            section("Accuracy", _precision(run) if run.several_labels else _accuracy(run)),
            *(
                [section("Device-specific networks", device_networks(run))]
                if run.is_device_specific
                else []
            ),
            section("Training", _training(run)),
            section("Teachers", _teachers(run)),
            section("Complexity", complexity(run)),
            section("Files for devices", device_files(run)),
            section("Origin", provenance(run.config)),
        ],
    )


def verdicts(run: Run) -> Iterator[Verdict]:
    """Yields accuracy and log loss, the values limited by the rules of 2024, and the targets."""
    at = ("forms", run.submitted, "overall")
    if run.several_labels:
        mean = run.scores.number(*at, "map", scale=PERCENT)
        yield Verdict("mean average precision, %", mean, remark=accuracy_context(run))
    else:
        yield from _accuracy_verdicts(run)
    yield Verdict("parameters", run.complexity.number("params", spec=","))
    yield from limits(run.complexity, "rules", EDITION)
    for verdict in limits(run.complexity, "rules", TARGET):
        yield replace(verdict, name=f"target: {verdict.name}")


def _accuracy_verdicts(run: Run) -> Iterator[Verdict]:
    at = ("forms", run.submitted, "overall")
    accuracy = run.scores.number(*at, "accuracy")
    yield Verdict("macro accuracy, %", accuracy, remark=accuracy_context(run))
    yield Verdict("log loss", run.scores.number(*at, "logloss", spec=".3f"))


def _precision(run: Run) -> Iterator[Block | None]:
    yield from run_warnings(run)
    yield Note(
        f"Average precision of the submitted variant ({run.submitted}) over all clips, which may "
        "have several labels. The 95 % intervals resample whole recordings."
    )
    yield label_table(run)


def label_table(run: Run) -> Table:
    """Builds the submitted variant's average precision by label."""
    scores, key = run.scores, "class_wise"
    place = ("forms", run.submitted, key)
    return Table(
        "by_label",
        "Average precision by label, percent, with 95 % intervals",
        ("label", "average precision %", "from", "to", "clips with it"),
        [
            (
                name,
                scores.number(*place, name, "average_precision", scale=PERCENT),
                scores.number("intervals_95", key, name, 0, scale=PERCENT),
                scores.number("intervals_95", key, name, 1, scale=PERCENT),
                scores.number(*place, name, "clips", spec=","),
            )
            for name in scores.names(*place)
        ],
    )


def _accuracy(run: Run) -> Iterator[Block | None]:
    scores, variant = run.scores, run.submitted
    yield from run_warnings(run)
    if scores.number("forms", variant, "overall", "accuracy") is None:
        yield missing(scores, "scores")
        return
    yield Note(
        f"Accuracy of the submitted variant ({variant}), each over the clips of its scene, device "
        "or group. The 95 % intervals resample whole recordings."
    )
    if not scores.names("intervals_95"):
        yield missing(scores, "intervals of scenes and devices")
    chance = chance_level(length(run.config, *SCENES))
    for part in _PARTS:
        table = part_table(run, part)
        what = part.replace("_", " ")
        if len(table.rows) > 1:
            rows = [row[:4] for row in table.rows]
            yield intervals(f"by_{part}", f"Accuracy by {what}", rows, chance)
        else:
            yield Note(f"Only one {what} among the dev-test clips: nothing to compare.")
        yield table
    yield from rejection_notes(run)
    matrix = confusion(scores, run.scenes, "confusion")
    yield matrix or missing(scores, "confusion matrix")
    yield _published(run)


def _published(run: Run) -> Table | None:
    """Builds the table of this system's published results on this split."""
    columns = [
        Column("system", ("system",)),
        Column("accuracy %", ("accuracy", str(run.config.get("settings", "split"))), ".1f"),
        Column("parameters", ("params",), ","),
        Column("MMACs", ("macs",), ".2f", MILLIONTH),
        Column("source", ("source",)),
    ]
    title = published_on(run.published, "rows")
    return listed(run.published, ("rows",), "published", title, columns)


def part_table(run: Run, part: str) -> Table:
    """Builds the submitted variant's accuracy by `device_group`, `device` or `scene`."""
    key, scores = _PARTS[part], run.scores
    place = ("forms", run.submitted, key)
    return Table(
        f"by_{part}",
        f"Accuracy by {part.replace('_', ' ')}, percent, with 95 % intervals",
        (part.replace("_", " "), "accuracy %", "from", "to", "log loss", "clips"),
        [
            (
                name,
                scores.number(*place, name, "accuracy"),
                scores.number("intervals_95", key, name, 0),
                scores.number("intervals_95", key, name, 1),
                scores.number(*place, name, "logloss", spec=".3f"),
                scores.number(*place, name, "clips", spec=","),
            )
            for name in scores.names(*place)
        ],
    )


def _training(run: Run) -> Iterator[Block | None]:
    found = [
        curve(run.stages, "loss", "Loss of each training", "loss"),
        curve(run.stages, "accuracy", _TRAINING_ACCURACY, "accuracy, %", PERCENT),
        curve(run.stages, "val_accuracy", "Accuracy on held-out clips", "macro accuracy, %"),
    ]
    yield from found
    for stage in run.stages:
        if not stage.epochs.rows():
            yield missing(stage.epochs, f"log of the stage {stage.name}")
    if run.config.rows("settings", "plan", "rounds"):
        steps = run.config.get("settings", "steps_per_epoch")
        known = steps if is_number(steps) and steps > 0 else None
        trajectory = pruning_trajectory(run.stages, known) if known else None
        yield trajectory or missing(run.config, "steps per epoch, which the pruning plot needs")


def _teachers(run: Run) -> Iterator[Block | None]:
    if not run.config.get("settings", "teachers"):
        yield Note("None: trained with labels only.")
        return
    found: list[Block] = [*ensemble_tables(run.teachers)]
    yield from found or [missing(run.teachers, "description of the teachers")]
