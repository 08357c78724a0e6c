"""Flags that recipes share: one module per group; a recipe adopts the groups it needs.

The first line of a module is the heading of its group in `--help`. A flag is unknown to a recipe
that does not import its group. These modules are imported before TensorFlow, so they import nothing
that needs it.
"""

import logging
from collections.abc import Mapping
from typing import Any

from absl import flags

LOG = logging.getLogger("dcase_system.recipes")


def begin(demo: Mapping[str, Any]) -> None:
    """Without `--data_dir`, logs that the demo corpus is used and sets the demo's defaults."""
    if flags.FLAGS.data_dir is None:
        LOG.info("no --data_dir: running on the embedded demo corpus, at demo scale")
        set_defaults(demo)


def set_defaults(values: Mapping[str, Any]) -> None:
    """Sets a recipe's own defaults; values from the command line take precedence."""
    for name, value in values.items():
        flags.FLAGS.set_default(name, value)


def given(*names: str) -> dict[str, Any]:
    """Returns values of flags by name, without flags that this recipe lacks or that are None."""
    known = [name for name in names if name in flags.FLAGS]
    return {name: flags.FLAGS[name].value for name in known if flags.FLAGS[name].value is not None}
