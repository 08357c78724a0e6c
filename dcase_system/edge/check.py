"""How near a form of a network is to the network itself, and how near it has to be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.edge.forms import REFERENCE, Form

# Mean over clips of the share of the probability that has moved. A file with a fault (wrong ranges,
# wrong order) is far beyond it; ties of an untrained network are within.
_LARGEST_MEAN_DIFFERENCE = {"float32": 1e-3, "float16": 1e-2, "dynamic": 0.05, "int8": 0.1}


@dataclass(frozen=True)
class Comparison:
    """A form beside the Keras network at float32.

    Attributes:
        agreement: clips with the same most probable class, in percent.
        largest_difference: of a probability.
        mean_difference: sum of the differences of a clip's probabilities over the sum of all of
            them, averaged: half the differences where they sum to 1, for tags their share too.
    """

    agreement: float
    largest_difference: float
    mean_difference: float


def compare(probabilities: np.ndarray, reference: np.ndarray) -> Comparison:
    """Probabilities (clips, classes) of a form beside those of the reference."""
    differences, both = np.abs(probabilities - reference), probabilities + reference
    same = probabilities.argmax(axis=-1) == reference.argmax(axis=-1)
    return Comparison(
        float(100 * same.mean()),
        float(differences.max()),
        float((differences.sum(axis=-1) / both.sum(axis=-1)).mean()),
    )


def check_forms(
    forms: Mapping[str, Form], probabilities: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Compares every form with the Keras network at float32, on the same clips.

    Args:
        forms: by name, that of the Keras network among them.
        probabilities: of each form, (clips, classes).

    Returns:
        The fields of each form's comparison.

    Raises:
        InputError: a form is too far from the network.
    """
    compared = {}
    for name, values in probabilities.items():
        comparison = compare(values, probabilities[REFERENCE])
        limit = _LARGEST_MEAN_DIFFERENCE[forms[name].format]
        # Also a NaN is not within the limit.
        if not comparison.mean_difference <= limit:
            raise InputError(
                "exported form is too far from the network",
                where=name,
                expected=f"probabilities that differ by {limit:g} on average at most",
                received=f"{comparison.mean_difference:.3g}, with the same class on "
                f"{comparison.agreement:.1f} % of {len(values)} clips",
            )
        compared[name] = asdict(comparison)
    return compared
