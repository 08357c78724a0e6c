"""The flags that recipes share, a module a group; a recipe adopts the groups that it takes.

A module's first line is the heading of its group on the page that `--help` prints. To absl, a flag
of a group that a recipe does not import is unknown there. These modules are read before TensorFlow
is, so they import nothing that needs it.
"""

import logging
from collections.abc import Mapping
from typing import Any

from absl import flags

LOG = logging.getLogger("dcase_system.recipes")


def begin(demo: Mapping[str, Any]) -> None:
    """Without `--data_dir` says so, a recipe's first line then, and takes the demo's values."""
    if flags.FLAGS.data_dir is None:
        LOG.info("no --data_dir: running on the embedded demo corpus, at demo scale")
        set_defaults(demo)


def set_defaults(values: Mapping[str, Any]) -> None:
    """Gives flags a recipe's own values; what a command line says stays."""
    for name, value in values.items():
        flags.FLAGS.set_default(name, value)


def given(*names: str) -> dict[str, Any]:
    """The values of flags by their names, without those that this recipe lacks or that are None."""
    known = [name for name in names if name in flags.FLAGS]
    return {name: flags.FLAGS[name].value for name in known if flags.FLAGS[name].value is not None}
