"""Tensor names of the published networks, family by family.

Names are those of the authors' module trees: kkoutini/PaSST, qiuqiangkong/audioset_tagging_cnn,
CPJKU/dcase2024_task1_baseline and fschmid56/cpjku_dcase23 (CP-Mobile), and
EOPhoeny/dcase2025_task1_inference (SSCP-Mobile). Other scene classifiers: `scene_names`.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError
from dcase_system.models.checkpoints import scene_names
from dcase_system.models.checkpoints.mapping import Unused
from dcase_system.models.checkpoints.naming import COUNTER, Published
from dcase_system.models.cnn10 import CNN10Spec
from dcase_system.models.cp_mobile import BLOCKS_PER_STAGE, CPMobileSpec
from dcase_system.models.cp_resnet import CPResNetSpec
from dcase_system.models.passt import PaSSTSpec
from dcase_system.models.tf_sepnet import TFSepNetSpec
from dcase_system.models.yamnet import YAMNetSpec


def published(spec: Any) -> Published:
    """Returns the tensor names of a spec.

    Raises:
        InputError: No weights of its architecture are published.
    """
    if isinstance(spec, PaSSTSpec):
        return _passt(spec)
    if isinstance(spec, CNN10Spec):
        return _cnn10(spec)
    if isinstance(spec, CPMobileSpec):
        return _cp_mobile(spec)
    if isinstance(spec, TFSepNetSpec):
        return scene_names.tf_sepnet(spec)
    if isinstance(spec, CPResNetSpec):
        return scene_names.cp_resnet(spec)
    if isinstance(spec, YAMNetSpec):
        return scene_names.yamnet(spec)
    raise InputError(
        "architecture without published weights",
        where=type(spec).__name__,
        expected="PaSST, CNN10, CP-Mobile, TF-SepNet, CP-ResNet or YAMNet",
    )


def spec_of(spec: Any, tensors: Mapping[str, np.ndarray], where: str | Path) -> Any:
    """Copies `spec` with widths read from the tensors, except the number of classes.

    Only CP-Mobile and SSCP-Mobile checkpoints come in other widths: pruned ones.

    Args:
        spec: Spec of the claimed architecture.
        tensors: Tensors by name, without prefix.
        where: Name of the source, for messages.

    Raises:
        InputError: A tensor that gives a width is missing, or the widths contradict each other.
    """
    if not isinstance(spec, CPMobileSpec):
        return spec

    def width(name: str) -> int:
        return output_channels(tensors, name, where)

    parts = _parts(spec.separable)
    stem_channels = before = width("in_c.1.0.weight")
    blocks = []
    for block, module in zip(spec.blocks, _block_modules(), strict=True):
        expanded, channels = (width(f"{module}.{part}.0.weight") for part in (parts[0], parts[-1]))
        if block.shortcut and channels != before:
            raise InputError(
                f"tensor {module}.{parts[-1]}.0.weight has the wrong shape: "
                "its block adds its input to its output",
                where=where,
                expected=f"{before} output channels",
                received=channels,
            )
        blocks.append(replace(block, expanded=expanded, channels=channels))
        before = channels
    return replace(
        spec,
        stem_inner=tuple(width(f"{stem}.0.0.weight") for stem in _stems(spec)),
        stem_channels=stem_channels,
        blocks=tuple(blocks),
    )


def _passt(spec: PaSSTSpec) -> Published:
    modules = [("patch_embed.proj", "patches"), ("", "grid"), ("", "tokens")]
    parts = {
        "norm1": "norm1",
        "attn.qkv": "qkv",
        "attn.proj": "projection",
        "norm2": "norm2",
        "mlp.fc1": "mlp1",
        "mlp.fc2": "mlp2",
    }
    for index in range(spec.depth):
        modules += [(f"blocks.{index}.{part}", f"block{index + 1}_{parts[part]}") for part in parts]
    modules += [("norm", "norm"), ("head.0", "head_norm"), ("head.1", "logits")]
    unused = Unused(r"head_dist\..*", "a second head that the published forward pass never uses")
    return Published(tuple(modules), ("logits",), "cls_token", "head.1.weight", (unused,))


def _cnn10(spec: CNN10Spec) -> Published:
    modules = [("bn0", "mel_bn")]
    for block, widths in enumerate(spec.blocks, 1):
        for index in range(1, len(widths) + 1):
            modules += [
                (f"conv_block{block}.{kind}{index}", f"block{block}_{kind}{index}")
                for kind in ("conv", "bn")
            ]
    modules += [("fc1", "embedding"), ("fc_audioset", "logits")]
    front_end = Unused(
        r"(spectrogram_extractor|logmel_extractor)\..*", "constants of the front end, not trained"
    )
    return Published(
        tuple(modules),
        ("logits",),
        "bn0.weight",
        "fc_audioset.weight",
        unused=(COUNTER, front_end),
        mirrored=True,
    )


def _cp_mobile(spec: CPMobileSpec) -> Published:
    modules: list[tuple[str, str]] = []

    def conv_bn(module: str, layer: str) -> None:
        modules.extend([(f"{module}.0", f"{layer}_conv"), (f"{module}.1", f"{layer}_bn")])

    for path, stem in enumerate(_stems(spec), 1):
        conv_bn(f"{stem}.0", f"stem{path}_a")
        conv_bn(f"{stem}.1", f"stem{path}_b")
    for index, block in enumerate(_block_modules(), 1):
        layers = ["expand", "depthwise1", *["depthwise2"] * spec.separable, "project"]
        for part, layer in zip(_parts(spec.separable), layers, strict=True):
            conv_bn(f"{block}.{part}", f"block{index}_{layer}")
        if spec.response_norm:
            modules.append((f"{block}.after_block_norm", f"block{index}_response_norm"))
    conv_bn("feed_forward", "head")
    front_end = Unused(r"mel\..*", "constants of the front end, not trained")
    return Published(
        tuple(modules),
        ("head_conv", "head_bn"),
        "in_c.0.0.weight",
        "feed_forward.0.weight",
        beside=(front_end,),
    )


def output_channels(tensors: Mapping[str, np.ndarray], name: str, where: str | Path) -> int:
    """Size of a tensor's first axis.

    Raises:
        InputError: There is no such tensor, or it has no such axis.
    """
    if name not in tensors:
        raise InputError(f"tensor {name} is missing", where=where)
    shape = tensors[name].shape
    if not shape or shape[0] < 1:
        raise InputError(
            f"tensor {name} has the wrong shape",
            where=where,
            expected="an axis of output channels",
            received=shape,
        )
    return shape[0]


def _block_modules() -> list[str]:
    """Names of the blocks: numbered stages, and blocks numbered continuously across stages."""
    stages = [stage for stage, count in enumerate(BLOCKS_PER_STAGE, 1) for _ in range(count)]
    return [f"stages.s{stage}.b{block}" for block, stage in enumerate(stages, 1)]


def _parts(separable: bool) -> tuple[str, ...]:
    if separable:
        return ("exp_conv", "depth_conv", "depth_conv2", "proj_conv")
    return ("block.0", "block.1", "block.2")


def _stems(spec: CPMobileSpec) -> tuple[str, ...]:
    return ("in_c", "in_c2")[: len(spec.stem_inner)]
