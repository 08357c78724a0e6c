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
from collections.abc import Callable
from types import ModuleType
from typing import Any

from dcase_system.core.import_hooks import at_import

CLASSES = {
    "audio.augment": ("AxisMask", "FreqMixStyle", "TimeRoll"),
    "audio.embedding": ("Embedding",),
    "audio.kaldi_mel": ("KaldiMel",),
    "audio.log_mel": ("LogMel",),
    "audio.panns_mel": ("PannsMel",),
    "audio.scalogram": ("Scalogram",),
    "audio.yamnet_mel": ("YamnetMel",),
    "distillation.losses": ("DistillationLoss", "MultiLabelDistillationLoss", "PackedAccuracy"),
    "models.cnn10": ("MeanMelsPoolFrames",),
    "models.layers": (
        *("DepthwiseConv2D", "FusedBatchNormalization"),
        *("GlobalResponseNormalization", "LearnedMean"),
        *("PowerNormalization", "ResidualNormalization"),
    ),
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
        at_import("keras", _register_after)


class _StandIn:
    """Placeholder for a class whose module has not been imported."""

    def __init__(self, module: str, name: str):
        self._module, self._name = f"{__package__}.{module}", name

    def from_config(self, config: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(self._module), self._name).from_config(config)


def _register_after(execute: Callable[[], None], keras: ModuleType) -> None:
    execute()
    _register(keras)


def _register(keras: ModuleType) -> None:
    registered = keras.saving.get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            registered.setdefault(f"{__package__}>{name}", _StandIn(module, name))
