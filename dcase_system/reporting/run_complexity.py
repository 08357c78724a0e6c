"""The costs of a student's network: limits of the challenge, zeros, layers."""

from collections.abc import Iterator, Sequence

from dcase_system.reporting.content import Block, Note, Table
from dcase_system.reporting.derived import percentage
from dcase_system.reporting.documents import missing
from dcase_system.reporting.json_tables import Column, limits, listed
from dcase_system.reporting.numbers import Document, Number
from dcase_system.reporting.result_figures import layer_costs
from dcase_system.reporting.run_files import Run

EDITION = "2024 Task 1"  # the edition that the package is for; its limits decide the verdict
TARGET = "target"  # key of the limits that the user asked for, see `complexity.rules`
_WORDS = {True: "complies", False: "OVER", None: None}
_LAYERS = (
    Column("layer", ("name",)),
    Column("kind", ("kind",)),
    Column("output", ("output_shape",)),
    Column("parameters", ("params",), ","),
    Column("MACs", ("macs",), ","),
)


def complexity(run: Run) -> Iterator[Block | None]:
    """Yields the tables and figures of a network's costs, or what is missing."""
    document = run.complexity
    if document.number("params") is None:
        yield missing(document, "complexity report")
        return
    seconds = document.number("clip_seconds", spec="g")
    if seconds and seconds.value != 1.0:
        yield Note(
            ["Counted for clips of ", seconds, " s; the challenge limits the MACs of 1 s clips."]
        )
    yield rules_table(document, document.names("rules"))
    yield from _zeros(run.sparsity)
    yield most_expensive_layer(document)
    yield layer_costs(document.rows("layers", numbers=("macs", "params")))
    title = "Each layer; MACs for one clip"
    yield listed(document, ("layers",), "layers", title, _LAYERS, long=True)


def rules_table(document: Document, editions: Sequence[str]) -> Table:
    """Builds the table of values and limits of each edition's rules.

    Beside other editions, the one that the package is for is marked.
    """
    compared = not set(editions) <= {EDITION, TARGET}
    found = [(edition, rule) for edition in editions for rule in limits(document, "rules", edition)]
    marks = {EDITION: f"{EDITION} (applies)"} if compared else {}
    rows = [
        (
            f"{marks.get(edition, edition)}: {rule.name}",
            rule.value,
            rule.limit,
            _WORDS[rule.complies],
        )
        for edition, rule in found
    ]
    title = "Limits of the challenge"
    if compared:
        title += f"; those of {EDITION} apply, the others are for comparison"
    marked = [at for at, (edition, _) in enumerate(found) if edition in marks]
    return Table("rules", title, ("rule", "value", "limit", "verdict"), rows, marked=marked)


def most_expensive_layer(document: Document) -> Note | None:
    """Names the layer with the most MACs, and its share; None if no layer has any."""
    layers = document.entries("layers", numbers=("macs",))
    total = document.number("macs", spec=",")
    if not layers or not total:
        return None
    at, layer = max(layers, key=lambda entry: entry[1]["macs"])
    macs = document.number("layers", at, "macs", spec=",")
    share = percentage(macs, total) if macs else None
    if macs is None or share is None:
        return None
    name: list[str | Number] = [f"{layer.get('name')} ({layer.get('kind')}) costs the most: "]
    return Note([*name, macs, " of ", total, " MACs, ", share, " %."])


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
