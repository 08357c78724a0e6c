"""The complexity limits of DCASE low-complexity acoustic scene classification, 2020-2025."""

from dataclasses import asdict, dataclass

import keras

from dcase_system.complexity.costs import BYTES_PER_PARAMETER
from dcase_system.complexity.counter import Complexity, count, nonzero_parameters

KIB, KB = 1_024, 1_000
CLIP_SECONDS = 1.0  # clip length of the challenge since 2022
MAX_BYTES_2024 = 128 * KB
MAX_MACS_2024 = 30_000_000
EDITION_2025 = "2025 Task 1"
TARGET = "target"  # among the editions: what a user asked for


@dataclass(frozen=True)
class Verdict:
    """Result of one rule of one edition.

    Attributes:
        edition: Year and task.
        rule: Description of the rule, including how it counts.
        value: Value of the model.
        limit: Largest allowed value.
        complies: Whether value <= limit.
    """

    edition: str
    rule: str
    value: int
    limit: int
    complies: bool


def judge(model: keras.Model, precision: str, clip_seconds: float = CLIP_SECONDS) -> list[Verdict]:
    """Applies each edition's rules to a model submitted at a precision.

    Sources: the organisers' baselines and size calculators of each year. 2020 and 2021 count
    non-zero parameters only, with 1,024 bytes per kB (2020 excludes batch norm); 2022 prescribes
    int8 and counts zeros; from 2023 the precision is free, zeros count and a kB has 1,000 bytes.

    Args:
        model: Network without its front end, which no edition counts.
        precision: `float32`, `float16` or `int8`.
        clip_seconds: Length of the model's clips in seconds; the limits apply to one second, and
            the rule of a count for longer clips says so.
    """
    macs = "MACs for one clip"
    if clip_seconds != CLIP_SECONDS:
        macs = f"MACs for clips of {clip_seconds:g} s, not {CLIP_SECONDS:g} s"
    counts = count(model)
    width = BYTES_PER_PARAMETER[precision]
    batch_norm_nonzero = sum(
        nonzero_parameters(layer)
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    nonzero_2020 = (counts.nonzero_params - batch_norm_nonzero) * width
    rows = [
        (
            "2020 Task 1B",
            f"non-zero {precision} parameters without batch norm, bytes",
            nonzero_2020,
            500 * KIB,
        ),
        (
            "2021 Task 1A",
            f"non-zero {precision} parameters, bytes",
            counts.nonzero_params * width,
            128 * KIB,
        ),
        ("2022 Task 1", "parameters at int8 (prescribed), bytes", counts.params, 128 * KB),
        ("2022 Task 1", macs, counts.macs, MAX_MACS_2024),
    ]
    for edition in ("2023 Task 1", "2024 Task 1", EDITION_2025):
        rows.append(
            (edition, f"parameters at {precision}, bytes", counts.params * width, MAX_BYTES_2024)
        )
        rows.append((edition, macs, counts.macs, MAX_MACS_2024))
    return [Verdict(*row, complies=row[2] <= row[3]) for row in rows]


def report(
    model: keras.Model,
    precision: str = "float16",
    clip_seconds: float = CLIP_SECONDS,
    *,
    target_macs: int | None = None,
    target_bytes: int | None = None,
) -> dict:
    """Complexity report of a run: counts, layer table and verdicts, JSON-serialisable.

    Args:
        model: See `judge`.
        precision: See `judge`.
        clip_seconds: See `judge`.
        target_macs: MACs that the user asked for, judged as an edition `target` of its own.
        target_bytes: Bytes of the parameters that the user asked for.
    """
    counts: Complexity = count(model)
    rules: dict[str, list[dict]] = {}
    size = counts.params * BYTES_PER_PARAMETER[precision]
    targets = [
        (f"parameters at {precision}, bytes (.tflite files are larger)", size, target_bytes),
        ("MACs for one clip", counts.macs, target_macs),
    ]
    asked = [
        Verdict(TARGET, rule, value, limit, complies=value <= limit)
        for rule, value, limit in targets
        if limit is not None
    ]
    for verdict in [*asked, *judge(model, precision, clip_seconds)]:
        rules.setdefault(verdict.edition, []).append(
            {key: value for key, value in asdict(verdict).items() if key != "edition"}
        )
    return {
        **counts.as_json(),
        "precision": precision,
        "clip_seconds": clip_seconds,
        "rules": rules,
    }


def as_text(values: dict) -> str:
    """Formats a complexity report as a table of layers, totals and one verdict per rule."""
    lines = [f"{'layer':<32}{'kind':<30}{'output':<18}{'params':>12}{'MACs':>16}"]
    for layer in values["layers"]:
        shape = "x".join(map(str, layer["output_shape"]))
        lines.append(
            f"{layer['name']:<32}{layer['kind']:<30}{shape:<18}{layer['params']:>12,}{layer['macs']:>16,}"
        )
    lines.append(f"{'total':<80}{values['params']:>12,}{values['macs']:>16,}")
    sizes = ", ".join(f"{precision} {size:,}" for precision, size in values["bytes"].items())
    others = ", ".join(f"{name} {value:,}" for name, value in values["other_counters"].items())
    lines += ["", f"bytes of parameters: {sizes}", f"other counters: {others}", ""]
    for edition, verdicts in values["rules"].items():
        for rule in verdicts:
            word = "complies" if rule["complies"] else "OVER"
            share = f"{rule['value']:>14,} of {rule['limit']:>11,}"
            lines.append(f"{edition:<14}{rule['rule']:<58}{share}  {word}")
    return "\n".join(lines)
