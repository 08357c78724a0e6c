"""System."""

from collections.abc import Mapping
from typing import Any

from absl import flags

from dcase_system.challenge.members import DEMO_MEMBERS
from dcase_system.challenge.systems import (
    DEMO_PRUNED_EPOCHS_FACTOR,
    MEANING,
    PRUNED_EPOCHS_FACTOR,
    SYSTEMS,
)
from recipes._flags import systems

flags.DEFINE_enum("system", "S1", list(SYSTEMS), MEANING)
flags.adopt_module_key_flags(systems)


def other_defaults(demo: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Returns a split recipe's defaults on the demo corpus and for pruned systems."""
    pruned = round(PRUNED_EPOCHS_FACTOR * flags.FLAGS["epochs"].default)
    on_demo = round(DEMO_PRUNED_EPOCHS_FACTOR * demo["epochs"])
    return {
        "on the demo corpus": {**demo, "members": DEMO_MEMBERS},
        "for pruned systems": {"epochs": pruned},
        "for pruned systems on the demo corpus": {"epochs": on_demo},
    }
