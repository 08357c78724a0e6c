"""How the sub-networks of an architecture use its layers: which of them, and at what width."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import BlockSpec, CPMobileSpec

_Spec = TypeVar("_Spec", contravariant=True)


@dataclass(frozen=True)
class SubNetwork:
    """A sub-network in terms of the layers of the supernet.

    Attributes:
        widths: Output channels of each layer that makes channels; 0 for a layer left out.
        sources: Prefix of the names of the supernet's layers, by the prefix in the sub-network's
            own; other names agree.
    """

    widths: Mapping[str, int]
    sources: Mapping[str, str]

    def source(self, layer: str) -> str:
        """Returns the name in the supernet of a layer of the sub-network."""
        prefix, separator, rest = layer.partition("_")
        return f"{self.sources.get(prefix, prefix)}{separator}{rest}"


class Architecture(Protocol[_Spec]):
    """What a supernet has to know of an architecture.

    Attributes:
        augmented_after: Layer after which features are augmented in training; None for the input.
    """

    augmented_after: str | None

    def sub_network(self, base: _Spec, spec: _Spec) -> SubNetwork | None:
        """Describes a spec by the layers of its base; None if it is no sub-network of it."""

    def optional(self, base: _Spec) -> Mapping[str, str]:
        """Regular expressions of the names of layers that can only be left out together.

        The keys are the layers whose width of 0 leaves the others out.
        """


class _CNN10:
    """Sub-networks of a CNN10: fewer channels, and fewer convolutions at the end of a block."""

    # Masks and mixup act on normalised mel bands, as in PANNs.
    augmented_after: str | None = "mels_first"

    def sub_network(self, base: CNN10Spec, spec: CNN10Spec) -> SubNetwork | None:
        if len(spec.blocks) != len(base.blocks) or spec.embedding != base.embedding:
            return None
        widths = {"embedding": spec.embedding}
        for block, (own, full) in enumerate(zip(spec.blocks, base.blocks, strict=True), 1):
            # The next block has kernel rows only for the full width of this block's last layer.
            if not 1 <= len(own) <= len(full) or own[-1] > full[-1] or min(own) < 1:
                return None
            padded = (*own, *(0,) * (len(full) - len(own)))
            widths |= {f"block{block}_conv{index}": of for index, of in enumerate(padded, 1)}
        return SubNetwork(widths, {})

    def optional(self, base: CNN10Spec) -> Mapping[str, str]:
        return {
            f"block{block}_conv{index}": rf"block{block}_(conv|bn|relu){index}"
            for block, of_block in enumerate(base.blocks, 1)
            for index in range(2, len(of_block) + 1)
        }


def is_optional(block: BlockSpec) -> bool:
    """Whether a block's input and output have one shape, so that the block can be left out."""
    return block.shortcut and block.strides == (1, 1)


class _CPMobile:
    """Sub-networks of a CP-Mobile: fewer channels, and fewer of a stage's optional blocks.

    Of neighbouring optional blocks the first ones stay, so a spec tells which are left out.
    """

    augmented_after: str | None = None

    def sub_network(self, base: CPMobileSpec, spec: CPMobileSpec) -> SubNetwork | None:
        kept = _kept_blocks(base, spec)
        if (
            kept is None
            or len(spec.stem_inner) != len(base.stem_inner)
            or (spec.separable, spec.response_norm) != (base.separable, base.response_norm)
        ):
            return None
        widths: dict[str, int] = {}
        for path, inner in enumerate(spec.stem_inner, 1):
            widths |= {f"stem{path}_a_conv": inner, f"stem{path}_b_conv": spec.stem_channels}
        before = spec.stem_channels
        for index in range(1, len(base.blocks) + 1):
            own = spec.blocks[kept.index(index)] if index in kept else None
            if own is not None and own.shortcut and own.channels != before:
                return None
            before = own.channels if own is not None else before
            widths[f"block{index}_expand_conv"] = own.expanded if own is not None else 0
            widths[f"block{index}_project_conv"] = before
        return SubNetwork(
            widths | {"head_conv": spec.classes},
            {f"block{own}": f"block{index}" for own, index in enumerate(kept, 1)},
        )

    def optional(self, base: CPMobileSpec) -> Mapping[str, str]:
        return {
            f"block{index}_expand_conv": f"block{index}_.*"
            for index, block in enumerate(base.blocks, 1)
            if is_optional(block)
        }


def _kept_blocks(base: CPMobileSpec, spec: CPMobileSpec) -> list[int] | None:
    """Numbers, from 1, of the base's blocks that a sub-network has; None if it has others."""
    kept, left = [], list(spec.blocks)
    for index, block in enumerate(base.blocks, 1):
        same = bool(left) and replace(left[0], expanded=0, channels=0) == replace(
            block, expanded=0, channels=0
        )
        if same:
            kept.append(index)
            del left[0]
        elif not is_optional(block):
            return None
    return None if left else kept


_ARCHITECTURES: Mapping[type, Architecture[Any]] = {CNN10Spec: _CNN10(), CPMobileSpec: _CPMobile()}


def architecture_of(base: Any) -> Architecture[Any]:
    """Returns what a supernet has to know of the architecture of a spec.

    Raises:
        InputError: The architecture has no supernet.
    """
    if type(base) not in _ARCHITECTURES:
        raise InputError(
            "architecture has no supernet",
            where=registry.kind_of(base),
            expected=" | ".join(
                kind for kind, cls in registry.CLASSES.items() if cls in _ARCHITECTURES
            ),
        )
    return _ARCHITECTURES[type(base)]
