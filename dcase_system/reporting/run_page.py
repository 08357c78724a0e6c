"""The page of a student's run, from the files of its run directory."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dcase_system.reporting.content import (
    Block,
    Document,
    Note,
    Page,
    Table,
    Verdict,
    is_number,
    section,
)
from dcase_system.reporting.documents import missing, warnings
from dcase_system.reporting.json_tables import Column, limits, listed, published_on
from dcase_system.reporting.provenance import provenance
from dcase_system.reporting.result_figures import confusion, intervals, layer_costs
from dcase_system.reporting.run_files import Run, read_run
from dcase_system.reporting.teachers_page import ensemble_tables
from dcase_system.reporting.training_figures import curve, pruning_trajectory

EDITION = "2024 Task 1"  # its limits decide the verdict
_PARTS = {"device_group": "group_wise", "device": "device_wise", "scene": "class_wise"}


def run_page(run_dir: Path) -> Page:
    """Builds the page of a student's run: verdict, scores, trainings, costs, files, origin."""
    run = read_run(run_dir)
    architecture = run.config.get("settings", "plan", "architecture") or "unknown network"
    split = run.config.get("settings", "split")
    taught = "teachers" if run.config.get("settings", "teachers") else "labels only"
    return Page(
        title=f"{architecture} on split{split}" if split else run.name,
        summary=f"Run {run.name}, trained with {taught}; scored once on the dev-test clips.",
        verdicts=list(verdicts(run)),
        sections=[
            section("Accuracy", _accuracy(run)),
            section("Training", _training(run)),
            section("Teachers", _teachers(run)),
            section("Complexity", _complexity(run)),
            section("Files for devices", _device_files(run)),
            section("Origin", provenance(run.config)),
        ],
    )


def verdicts(run: Run) -> Iterator[Verdict]:
    """Yields accuracy and log loss, and the values limited by the rules of 2024."""
    at = ("forms", run.submitted, "overall")
    low, high = (run.scores.number("intervals_95", "overall", end) for end in (0, 1))
    remark = f"95 % interval {low} to {high}" if low and high else ""
    yield Verdict("macro accuracy, %", run.scores.number(*at, "accuracy"), remark=remark)
    yield Verdict("log loss", run.scores.number(*at, "logloss", spec=".3f"))
    yield Verdict("parameters", run.complexity.number("params", spec=","))
    yield from limits(run.complexity, "rules", EDITION)


def _accuracy(run: Run) -> Iterator[Block | None]:
    scores, variant = run.scores, run.submitted
    yield from warnings(run.config)
    if scores.number("forms", variant, "overall", "accuracy") is None:
        yield missing(scores, "scores")
        return
    yield Note(
        f"Accuracy of the submitted variant ({variant}), each over the clips of its scene, device "
        "or group. The 95 % intervals resample whole recordings."
    )
    if not scores.names("intervals_95"):
        yield missing(scores, "intervals of scenes and devices")
    for part in _PARTS:
        table = part_table(run, part)
        what = part.replace("_", " ")
        if len(table.rows) > 1:
            figure = intervals(f"by_{part}", f"Accuracy by {what}", [row[:4] for row in table.rows])
            yield figure
        else:
            yield Note(f"Only one {what} among the dev-test clips: nothing to compare.")
        yield table
    matrix = confusion(scores, run.scenes, "confusion")
    yield matrix or missing(scores, "confusion matrix")
    yield _published(run)


def _published(run: Run) -> Table | None:
    """Builds the table of this system's published results on this split."""
    columns = [
        Column("system", ("system",)),
        Column("accuracy %", ("accuracy", str(run.config.get("settings", "split"))), ".1f"),
        Column("parameters", ("params",), ","),
        Column("MACs", ("macs",), ","),
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
        curve(run.stages, "accuracy", "Accuracy on training clips", "share of augmented clips"),
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


def _complexity(run: Run) -> Iterator[Block | None]:
    document = run.complexity
    if document.number("params") is None:
        yield missing(document, "complexity report")
        return
    seconds = document.number("clip_seconds", spec="g")
    if seconds and seconds.value != 1.0:
        yield Note(f"Counted for clips of {seconds} s; the challenge limits the MACs of 1 s clips.")
    yield rules_table(document, document.names("rules"))
    yield from _zeros(run.sparsity)
    picture = layer_costs(document.rows("layers", numbers=("macs", "params")))
    yield picture
    layers_table = listed(
        document,
        ("layers",),
        "layers",
        "Each layer; MACs for one clip",
        [
            Column("layer", ("name",)),
            Column("kind", ("kind",)),
            Column("output", ("output_shape",)),
            Column("parameters", ("params",), ","),
            Column("MACs", ("macs",), ","),
        ],
        long=True,
    )
    yield layers_table


def rules_table(document: Document, editions: Sequence[str]) -> Table:
    """Builds the table of values and limits of each edition's rules."""
    words = {True: "complies", False: "OVER", None: None}
    rows = [
        (f"{edition}: {rule.name}", rule.value, rule.limit, words[rule.complies])
        for edition in editions
        for rule in limits(document, "rules", edition)
    ]
    return Table("rules", "Limits of the challenge", ("rule", "value", "limit", "verdict"), rows)


def _zeros(document: Document) -> Iterator[Block | None]:
    sizes = {
        "all (rules of 2023-2025)": "float16_bytes",
        "non-zero (rules of 2021)": "nonzero_float16_bytes",
        "zipped": "zipped_float16_bytes",
    }
    rows = [(what, document.number(key, spec=",")) for what, key in sizes.items()]
    columns = ("parameters at float16", "bytes")
    known = any(number for _, number in rows)
    yield (
        Table("zeros", "Bytes of the parameters at float16", columns, rows)
        if known
        else missing(document, "count of zeros")
    )


def _device_files(run: Run) -> Iterator[Block | None]:
    found = run.scores.names("forms")
    yield variants_table(run) if found else missing(run.scores, "scores of the files")


def variants_table(run: Run) -> Table:
    """Builds the table of every variant's accuracy and its agreement with Keras."""
    return Table(
        "forms",
        "Variants on the dev-test clips; agreement is with Keras float32; * is submitted",
        ("variant", "accuracy %", "log loss", "agrees %", "bytes"),
        [
            (
                f"{variant} *" if variant == run.submitted else variant,
                run.scores.number("forms", variant, "overall", "accuracy", spec=".2f"),
                run.scores.number("forms", variant, "overall", "logloss", spec=".3f"),
                run.scores.number("forms", variant, "agreement"),
                run.cards[variant].number("bytes", spec=",") if variant in run.cards else None,
            )
            for variant in run.scores.names("forms")
        ],
    )
