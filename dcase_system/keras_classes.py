"""Lets Keras load saved networks with our classes after `import dcase_system` alone.

Keras looks up the class of a layer by a name, which a decorator registers when the class's module
is imported. Importing all these modules here would make `import dcase_system`, and so every
command, wait for TensorFlow. Instead, once Keras is imported (before or after this package), each
name gets a stand-in that imports the module when a file needs the class. The decorator then
replaces the stand-in with the class.

Networks of stock layers would not need this, but Keras has no depthwise convolution with unequal
strides that runs on every device, and no global response normalisation.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

CLASSES = {
    "audio.augment": ("AxisMask", "FreqMixStyle", "TimeRoll"),
    "audio.kaldi_mel": ("KaldiMel",),
    "audio.log_mel": ("LogMel",),
    "audio.panns_mel": ("PannsMel",),
    "audio.scalogram": ("Scalogram",),
    "distillation.losses": ("DistillationLoss", "MultiLabelDistillationLoss", "PackedAccuracy"),
    "models.cnn10": ("MeanMelsPoolFrames",),
    "models.layers": ("DepthwiseConv2D", "FusedBatchNormalization", "GlobalResponseNormalization"),
    "models.passt_layers": (
        *("ClassTokens", "MeanOfTokens", "Patchout", "PositionalGrid", "SelfAttention"),
    ),
    "models.graph.mask_layer": ("ChannelMask",),
    "parallel.replicas": ("Dropout",),
    "training.optimizers": ("Adam",),
    "training.schedule": ("ExponentialLinear",),
}
"""The registered classes, by their module in this package."""


def register_with_keras() -> None:
    """Registers the stand-ins now, or as soon as Keras is imported."""
    if "keras" in sys.modules:
        _register(sys.modules["keras"])
    else:
        sys.meta_path.insert(0, _KerasFinder())


class _StandIn:
    """Placeholder for a class whose module has not been imported."""

    def __init__(self, module: str, name: str):
        self._module, self._name = f"{__package__}.{module}", name

    def from_config(self, config: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(self._module), self._name).from_config(config)


def _register(keras: ModuleType) -> None:
    registered = keras.saving.get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            registered.setdefault(f"{__package__}>{name}", _StandIn(module, name))


class _KerasFinder:
    """Finds Keras through the other finders and registers the stand-ins after its import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                _register(module)

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec
