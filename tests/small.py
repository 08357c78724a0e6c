"""Commands with networks of two blocks, for tests that do not depend on the size.

`python -m tests.small -m recipes.split5 ...` runs a recipe so, and the tasks that it starts too.
"""

import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dcase_system.complexity.counter import Complexity, count
from dcase_system.models import cp_mobile, registry
from dcase_system.models.cnn_gru import CNNGRUSpec
from dcase_system.models.tf_sepnet import SepStageSpec, TFSepNetSpec

# In place of the interpreter: how a command that is small starts others.
PYTHON = Path(__file__).with_name("small_python")


def shortened(published: Callable[[], cp_mobile.CPMobileSpec]) -> cp_mobile.CPMobileSpec:
    """A published architecture's third and fourth block alone: one is strided, one widens."""
    spec = published()
    return replace(spec, blocks=spec.blocks[2:4])


def small_tf_sepnet() -> TFSepNetSpec:
    """One block at each of two widths; the front end stays the published one."""
    stages = (SepStageSpec(8, 1, pooled=False), SepStageSpec(12, 1))
    return TFSepNetSpec(stem_inner=4, stem_channels=8, stages=stages)


def small_cnn_gru() -> CNNGRUSpec:
    """All layers, in few channels and steps."""
    return CNNGRUSpec(stem_inner=2, stem_channels=4, path_inner=4, gru_steps=4, gru_units=4)


def costs(name: str) -> Complexity:
    """What the rules count of a shortened architecture, by its name."""
    return count(registry.build(shortened(registry.ARCHITECTURES[name])))


def use_small_networks() -> None:
    """Shortens the students and teachers of this process, and of those that it starts."""
    for name, published in list(registry.ARCHITECTURES.items()):
        if name.startswith(("cp_mobile", "sscp_mobile")):
            registry.ARCHITECTURES[name] = lambda published=published: shortened(published)
    registry.ARCHITECTURES |= {"tf_sepnet_64": small_tf_sepnet, "cnn_gru": small_cnn_gru}
    os.environ.setdefault("SMALL_PYTHON", sys.executable)
    sys.executable = str(PYTHON)


if __name__ == "__main__":
    del sys.argv[:2]  # this module and -m
    use_small_networks()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
