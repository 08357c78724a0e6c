"""Published rows of the report and of the baseline, to show beside our results."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dcase_system.corpora import tau
from dcase_system.papers.published import Published
from dcase_system.papers.sscp_mobile import BASELINE_TABLE, TABLE_1, TABLE_2

CONFIGURATION = ("teachers", "schedule", "pruned")
"""Text columns of the report's Table 1."""


def published_rows(systems: Iterable[str], splits: Sequence[int]) -> list[dict[str, Any]]:
    """Returns the report's rows of these systems, and the organisers' row of their baseline.

    Args:
        systems: Names of systems; names that the report lacks are ignored.
        splits: Splits to average over.
    """
    found = []
    for table, configuration in ((TABLE_2, TABLE_1), (BASELINE_TABLE, BASELINE_TABLE)):
        for name in {*systems, "baseline"} & {str(row[0]) for row in table.rows}:
            found.append(_published(name, table, configuration, splits))
    return sorted(found, key=lambda row: row["system"])


def _published(
    name: str, table: Published, configuration: Published, splits: Sequence[int]
) -> dict[str, Any]:
    printed, network = table.row(system=name), configuration.row(system=name)
    accuracy = {
        str(split): value
        for split in splits
        if isinstance(value := printed[str(split)], float)  # not every cell is known
    }
    return {
        "system": f"{name}, published",
        "source": f"{table.paper}, {table.name}",
        "corpus": table.corpus,
        "accuracy": accuracy,
        "mean": mean_accuracy(accuracy, splits),
        "params": network["parameters"],
        "bytes": 2 * int(str(network["parameters"])),  # at float16, as both were submitted
        "macs": network["MACs"],
        **{key: network.get(key) for key in CONFIGURATION},
    }


def mean_accuracy(accuracy: Mapping[str, float], splits: Sequence[int]) -> float | None:
    """Averages over all these splits; None if one of them is missing."""
    found = [accuracy[str(split)] for split in splits if str(split) in accuracy]
    return sum(found) / len(found) if len(found) == len(splits) else None


def is_published_corpus(scenes: Sequence[str], test_clips: int) -> bool:
    """Whether the clips are, judged by their counts, those of the published rows."""
    return tuple(scenes) == tau.SCENES and test_clips == tau.TEST_CLIPS
