"""Counts parameters, bytes and MACs of a network, and applies the rules of each challenge.

    python -m dcase_system.complexity sscp_mobile_32
    python -m dcase_system.complexity RUN/student/network.keras --json

The argument is an architecture name, a `.keras` file, or the `.json` file of a spec.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import app, flags

from dcase_system.complexity.costs import BYTES_PER_PARAMETER
from dcase_system.core import cli
from dcase_system.core.errors import InputError

if TYPE_CHECKING:
    import keras

_JSON = flags.DEFINE_bool("json", False, "Print JSON instead of a table.")
_PRECISION = flags.DEFINE_enum(
    "precision",
    "float16",
    list(BYTES_PER_PARAMETER),
    "Precision of the parameters that the rules are applied to.",
)


def load(name: str) -> keras.Model:
    """Loads a model from an architecture name, a spec's `.json` or a `.keras` file."""
    from dcase_system.models import registry  # imports TensorFlow
    from dcase_system.models.stored import load_model

    path = Path(name)
    if path.suffix == ".json":
        return registry.build_fixed(registry.read_spec(path))
    if path.suffix == ".keras":
        return load_model(path)
    if name in registry.ARCHITECTURES:
        return registry.build_fixed(registry.named_spec(name))
    raise InputError(
        "neither an architecture nor a model file",
        where="complexity",
        expected=f"a .keras or spec .json file or {' | '.join(registry.ARCHITECTURES)}",
        received=name,
    )


def main(argv: Sequence[str]) -> None:
    if len(argv) != 2:
        raise app.UsageError("expected one architecture or model file")
    from dcase_system.complexity import rules  # imports TensorFlow

    values = rules.report(load(argv[1]), _PRECISION.value)
    print(json.dumps(values, indent=2) if _JSON.value else rules.as_text(values))


if __name__ == "__main__":
    cli.run(main, takes_arguments=True)
