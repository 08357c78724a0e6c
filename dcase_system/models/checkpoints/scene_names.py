"""Tensor names of scene classifiers other than CP-Mobile, in the public code.

yqcai888/easy_dcase_task1 (TF-SepNet) and kkoutini/cpjku_dcase20 (CP-ResNet). YAMNet's are those
that `yamnet_file` gives.
"""

from dcase_system.models.checkpoints.naming import Published
from dcase_system.models.cp_resnet import CPResNetSpec
from dcase_system.models.tf_sepnet import TFSepNetSpec
from dcase_system.models.yamnet import YAMNetSpec


def tf_sepnet(spec: TFSepNetSpec) -> Published:
    """Names of a TF-SepNet, whose stages, norms and poolings are numbered as one sequence."""
    modules = _conv_bn("conv_layers.0", "stem_a") + _conv_bn("conv_layers.1", "stem_b")
    parts = {
        "trans_conv": "transition",
        "freq_dw_conv": "frequency_depthwise",
        "freq_pw_conv": "frequency_pointwise",
        "temp_dw_conv": "time_depthwise",
        "temp_pw_conv": "time_pointwise",
    }
    position, channels = 1, spec.stem_channels  # 0 is the stem's norm, which has no weights
    for stage, own in enumerate(spec.stages, 1):
        position += own.pooled
        for block in range(1, own.blocks + 1):
            for part, layer in parts.items():
                if part != "trans_conv" or channels != own.channels:
                    layer = f"stage{stage}_block{block}_{layer}"
                    modules += _conv_bn(f"middle_layers.{position}.{part}", layer)
            position, channels = position + 1, own.channels
        position += 1
    modules.append(("classifier.conv", "head"))
    return Published(
        tuple(modules), ("head",), "conv_layers.0._conv.weight", "classifier.conv.weight"
    )


def cp_resnet(spec: CPResNetSpec) -> Published:
    """Names of a CP-ResNet, whose twelve blocks stand in three stages of equal length."""
    modules = [("in_c.0", "stem_conv"), ("in_c.1", "stem_bn")]
    per_stage = len(spec.blocks) // 3
    for index, block in enumerate(spec.blocks):
        module = f"stage{index // per_stage + 1}.block{index % per_stage + 1}"
        parts = {"conv1": "first_conv", "bn1": "first_bn", "conv2": "second_conv"}
        parts |= {"bn2": "second_bn"}
        if block.projected:
            parts |= {"shortcut.conv": "shortcut_conv", "shortcut.bn": "shortcut_bn"}
        modules += [(f"{module}.{part}", f"block{index + 1}_{own}") for part, own in parts.items()]
    modules += [("feed_forward.0", "head_conv"), ("feed_forward.1", "head_bn")]
    return Published(
        tuple(modules), ("head_conv", "head_bn"), "in_c.0.weight", "feed_forward.0.weight"
    )


def yamnet(spec: YAMNetSpec) -> Published:
    """Names of a YAMNet, whose kernels have the axes (frames, mels)."""
    modules = [("layer1.conv", "layer1_conv")]
    for number in range(2, len(spec.layers) + 2):
        modules += [
            (f"layer{number}.{part}", f"layer{number}_{part}")
            for part in ("depthwise", "pointwise")
        ]
    modules.append(("classifier", "logits"))
    head = ("embedding_bn", "logits")
    return Published(tuple(modules), head, "layer1.conv.weight", "classifier.weight", mirrored=True)


def _conv_bn(module: str, layer: str) -> list[tuple[str, str]]:
    return [(f"{module}._conv", f"{layer}_conv"), (f"{module}._bn", f"{layer}_bn")]
