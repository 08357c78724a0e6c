"""Checks how far the variants of a network deviate from the network itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.edge.variants import REFERENCE, ModelVariant

# Mean over clips of the share of probability that has moved. A faulty file (wrong ranges, wrong
# order) is far beyond the limit; ties of an untrained network are within.
_LARGEST_MEAN_DIFFERENCE = {"float32": 1e-3, "float16": 1e-2, "dynamic": 0.05, "int8": 0.1}


@dataclass(frozen=True)
class Comparison:
    """A variant compared with the Keras network at float32.

    Attributes:
        agreement: Clips with the same most probable class, in percent.
        largest_difference: Largest difference of a probability.
        mean_difference: Mean over clips of the summed differences of both probabilities, divided
            by the sum of both: half the summed differences where probabilities sum to 1; a share
            for tags as well.
    """

    agreement: float
    largest_difference: float
    mean_difference: float


def compare(probabilities: np.ndarray, reference: np.ndarray) -> Comparison:
    """Compares probabilities (clips, classes) of a variant with those of the reference."""
    differences, both = np.abs(probabilities - reference), probabilities + reference
    same = probabilities.argmax(axis=-1) == reference.argmax(axis=-1)
    return Comparison(
        float(100 * same.mean()),
        float(differences.max()),
        float((differences.sum(axis=-1) / both.sum(axis=-1)).mean()),
    )


def check_variants(
    variants: Mapping[str, ModelVariant], probabilities: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Compares every variant with the Keras network at float32, on the same clips.

    Args:
        variants: Variants by name, including the Keras network.
        probabilities: Probabilities of each variant, (clips, classes).

    Returns:
        The fields of each variant's comparison.

    Raises:
        InputError: A variant deviates too far from the network.
    """
    compared = {}
    for name, values in probabilities.items():
        comparison = compare(values, probabilities[REFERENCE])
        limit = _LARGEST_MEAN_DIFFERENCE[variants[name].format]
        # Written so that a NaN fails too.
        if not comparison.mean_difference <= limit:
            raise InputError(
                "exported variant deviates too far from the network",
                where=name,
                expected=f"probabilities that differ by {limit:g} on average at most",
                received=f"{comparison.mean_difference:.3g}, with the same class on "
                f"{comparison.agreement:.1f} % of {len(values)} clips",
            )
        compared[name] = asdict(comparison)
    return compared
