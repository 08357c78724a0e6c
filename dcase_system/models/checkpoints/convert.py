"""Converts a published checkpoint to a folder with a Keras network's spec and weights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcase_system.core.errors import InputError, visible
from dcase_system.core.files import file_digest, replacing_directory, write_json
from dcase_system.core.folders import refuse_file
from dcase_system.models import registry, stored
from dcase_system.models.checkpoints import yamnet_file
from dcase_system.models.checkpoints.mapping import LeftOut, Pair, Unused, fill, match, pairs_of
from dcase_system.models.checkpoints.naming import Published
from dcase_system.models.checkpoints.published import output_channels, published, spec_of
from dcase_system.models.checkpoints.torch_file import StateDict, read_state_dict

RECORD = "import.json"
FILES = (*stored.FILES, RECORD)
_NEW_HEAD = "the classifier is new"


@dataclass(frozen=True)
class Conversion:
    """A converted checkpoint.

    Attributes:
        spec: Spec of the network.
        network: Network with the checkpoint's weights.
        mapped: Every used tensor, with its variable.
        left_out: Every unused tensor, with the reason.
    """

    spec: Any
    network: keras.Model
    mapped: tuple[Pair, ...]
    left_out: tuple[LeftOut, ...]


def import_checkpoint(
    checkpoint: Path,
    architecture: str,
    output: Path,
    *,
    classes: int | None = None,
    new_head: bool = False,
    prefix: str | None = None,
) -> Conversion:
    """Reads a checkpoint and writes `spec.json`, `network.keras` and `import.json`.

    Args:
        checkpoint: File written by `torch.save`; for YAMNet, its published `.h5` or `.tflite`.
        architecture: Name in the registry.
        output: New folder, or one of an earlier import, which is replaced only on success.
        classes: Number of classes of the network; by default that of the checkpoint.
        new_head: Whether to start a new classifier for `classes` instead of using the checkpoint's.
        prefix: Prefix of the network's tensors, if the file holds several networks.

    Raises:
        InputError: The file is not a checkpoint of this architecture, or cannot be read safely; or
            `output` holds other files.
        OSError: A file cannot be read or written.
    """
    spec = registry.named_spec(architecture)
    _check_output(output)
    state = _read(checkpoint)
    converted = convert(
        state.tensors, spec, checkpoint, classes=classes, new_head=new_head, prefix=prefix
    )
    beside = [LeftOut(name, (), "outside the state dict") for name in state.others]
    converted = replace(converted, left_out=(*converted.left_out, *beside))
    record = {
        "checkpoint": checkpoint.name,
        "sha256": file_digest(checkpoint),
        "architecture": architecture,
        "new_head": new_head,
        "mapped": [[pair.name, pair.variable.path] for pair in converted.mapped],
        "left_out": [[tensor.name, tensor.reason] for tensor in converted.left_out],
    }
    with replacing_directory(output) as temporary:
        stored.save_network(temporary, converted.network, converted.spec)
        write_json(temporary / RECORD, record)
    return converted


def convert(
    tensors: Mapping[str, np.ndarray],
    spec: Any,
    where: str | Path,
    *,
    classes: int | None = None,
    new_head: bool = False,
    prefix: str | None = None,
) -> Conversion:
    """Builds a network and fills it from a state dict.

    Args:
        tensors: State dict.
        spec: Spec of the claimed architecture; pruned widths are read from the tensors.
        where: Name of the source, for messages.
        classes: See `import_checkpoint`.
        new_head: See `import_checkpoint`.
        prefix: See `import_checkpoint`.

    Raises:
        InputError: A tensor is missing, unknown, of the wrong shape or not finite.
    """
    names = published(spec)
    own, beside = _without_prefix(tensors, names, where, prefix)
    spec = _with_head(spec_of(spec, own, where), own, names, classes, new_head, where)
    network = registry.build(spec)
    pairs, dropped = _pairs(network, names, new_head)
    unused = (*names.unused, *(Unused(re.escape(name), _NEW_HEAD) for name in dropped))
    left_out = [*beside, *match(own, pairs, unused, where)]
    fill(pairs, own)
    return Conversion(spec, network, tuple(pairs), tuple(left_out))


def _read(checkpoint: Path) -> StateDict:
    if checkpoint.suffix in yamnet_file.SUFFIXES:
        return StateDict(yamnet_file.read_yamnet(checkpoint), ())
    return read_state_dict(checkpoint)


def _without_prefix(
    tensors: Mapping[str, np.ndarray], names: Published, where: str | Path, prefix: str | None
) -> tuple[dict[str, np.ndarray], list[LeftOut]]:
    """Splits off the network's own tensors, without their prefix, from others to leave out."""
    anchors = [name.removesuffix(names.anchor) for name in tensors if name.endswith(names.anchor)]
    prefixes = [found for found in anchors if not found or found.endswith(".")]
    if prefix is not None:
        prefixes = [found for found in prefixes if found == prefix]
    if not prefixes:
        wanted = f"{prefix or ''}{names.anchor}"
        raise InputError(f"not a checkpoint of this architecture: no tensor {wanted}", where=where)
    if len(prefixes) > 1:
        raise InputError(
            "holds more than one network",
            where=where,
            expected="--prefix=" + " | ".join(prefixes),
        )
    outside = {name: value for name, value in tensors.items() if not name.startswith(prefixes[0])}
    own = {
        name.removeprefix(prefixes[0]): value
        for name, value in tensors.items()
        if name not in outside
    }
    # With an explicit prefix, the file's other networks are left out on purpose.
    rules = (*names.beside, Unused(".*", "not of the chosen network")) if prefix else names.beside
    return own, match(outside, [], rules, where)


def _with_head(
    spec: Any,
    tensors: Mapping[str, np.ndarray],
    names: Published,
    classes: int | None,
    new_head: bool,
    where: str | Path,
) -> Any:
    """Sets the spec's classes to those of the checkpoint, or of the new head."""
    if new_head:
        if classes is None:
            raise InputError(
                "a new head needs a number of classes", where=where, expected="--classes"
            )
        return registry.with_classes(spec, classes)
    held = output_channels(tensors, names.head_tensor, where)
    if classes not in (None, held):
        raise InputError(
            "has another number of classes (--new_head starts a new classifier)",
            where=where,
            expected=f"{classes} classes",
            received=held,
        )
    return registry.with_classes(spec, held)


def _pairs(network: keras.Model, names: Published, new_head: bool) -> tuple[list[Pair], list[str]]:
    """Pairs for all layers to fill, and the tensor names of the others."""
    pairs, dropped = [], []
    for module, layer in names.modules:
        found = pairs_of(network.get_layer(layer), module, names.mirrored)
        if new_head and layer in names.head:
            dropped += [pair.name for pair in found]
        else:
            pairs += found
    return pairs, dropped


def _check_output(output: Path) -> None:
    """Allows only files of an earlier import to be replaced."""
    refuse_file(output)
    if not output.exists():
        return
    others = sorted(path.name for path in output.iterdir() if path.name not in FILES)
    if others:
        raise InputError(
            "holds other files",
            where=output,
            expected="a new folder, or one that this command wrote",
            received=", ".join(map(visible, others[:3])),
        )
