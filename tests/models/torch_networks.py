"""The same networks built in PyTorch from a spec, as the reference of the parity tests.

Written from the published description (see dcase_system/models/cp_mobile.py), not copied.
"""

import numpy as np
import torch
from torch import nn

from dcase_system.models.cp_mobile import BlockSpec, CPMobileSpec


def conv_bn(inputs, outputs, kernel=(1, 1), stride=(1, 1), groups=1, relu=True):
    padding = (kernel[0] // 2, kernel[1] // 2)
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Block(nn.Module):
    def __init__(self, inputs: int, spec: BlockSpec, kernels, response_norm: bool):
        super().__init__()
        self.expand = conv_bn(inputs, spec.expanded)
        self.branches = nn.ModuleList(
            conv_bn(spec.expanded, spec.expanded, kernel, spec.strides, groups=spec.expanded)
            for kernel in kernels
        )
        self.project = conv_bn(spec.expanded, spec.channels, relu=False)
        self.shortcut = None
        if spec.shortcut:
            strided = spec.strides != (1, 1)
            self.shortcut = nn.AvgPool2d(3, spec.strides, 1) if strided else nn.Identity()
        self.scalars = nn.Parameter(torch.zeros(2)) if response_norm else None

    def forward(self, x):
        y = self.expand(x)
        y = self.project(sum(branch(y) for branch in self.branches))
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        if self.scalars is not None:
            norm = torch.linalg.vector_norm(y, dim=(2, 3), keepdim=True)
            relative = norm / (norm.mean(dim=1, keepdim=True) + 1e-6)
            y = self.scalars[0] * (y * relative) + self.scalars[1] + y
        return torch.relu(y)


class CPMobile(nn.Module):
    def __init__(self, spec: CPMobileSpec):
        super().__init__()
        kernels = ((3, 1), (1, 3)) if spec.separable else ((3, 3),)
        self.stems = nn.ModuleList(
            nn.Sequential(
                conv_bn(1, inner, kernel, (2, 2)),
                conv_bn(inner, spec.stem_channels, kernel[::-1], (2, 2)),
            )
            for inner, kernel in zip(spec.stem_inner, kernels, strict=True)
        )
        channels, blocks = spec.stem_channels, []
        for block in spec.blocks:
            blocks.append(Block(channels, block, kernels, spec.response_norm))
            channels = block.channels
        self.blocks = nn.Sequential(*blocks)
        self.head = conv_bn(channels, spec.classes, relu=False)

    def forward(self, x):
        x = sum(stem(x) for stem in self.stems)
        return self.head(self.blocks(x)).mean(dim=(2, 3))


def randomise(model: nn.Module, seed: int) -> nn.Module:
    """Random weights, batch-norm statistics and scalars, so that a wrong copy cannot go unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dtype.is_floating_point:
                if name.endswith("running_var"):
                    tensor.uniform_(0.5, 2.0, generator=generator)
                elif tensor.ndim > 1:
                    tensor.normal_(0.0, (2.0 / tensor[0].numel()) ** 0.5, generator=generator)
                else:
                    tensor.normal_(0.5, 0.3, generator=generator)
    return model.eval()


def copy_to_keras(model: nn.Module, network) -> None:
    """Copies weights layer by layer, both networks walked in the order of their definition."""
    convolutions = [m.weight.detach().numpy() for m in model.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    scalars = [
        m.scalars.detach().numpy()
        for m in model.modules()
        if getattr(m, "scalars", None) is not None
    ]
    for layer in in_torch_order(network):
        kind = type(layer).__name__
        if kind == "Conv2D":
            layer.set_weights([convolutions.pop(0).transpose(2, 3, 1, 0)])
        elif kind == "DepthwiseConv2D":
            layer.set_weights([convolutions.pop(0).transpose(2, 3, 0, 1)])
        elif kind == "FusedBatchNormalization":
            norm = norms.pop(0)
            layer.set_weights(
                [
                    t.detach().numpy()
                    for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
                ]
            )
        elif kind == "GlobalResponseNormalization":
            layer.set_weights([np.array(value) for value in scalars.pop(0)])
    assert not convolutions and not norms and not scalars


def copy_to_torch(network, model: nn.Module) -> nn.Module:
    """The other way: the weights of a Keras network into the same one in PyTorch."""
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    scalars = [m.scalars for m in model.modules() if getattr(m, "scalars", None) is not None]
    with torch.no_grad():
        for layer in in_torch_order(network):
            kind, weights = type(layer).__name__, layer.get_weights()
            if kind in ("Conv2D", "DepthwiseConv2D"):
                axes = (3, 2, 0, 1) if kind == "Conv2D" else (2, 3, 0, 1)
                convolutions.pop(0).weight.copy_(torch.from_numpy(weights[0].transpose(axes)))
            elif kind == "FusedBatchNormalization":
                norm = norms.pop(0)
                own = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
                for tensor, values in zip(own, weights, strict=True):
                    tensor.copy_(torch.from_numpy(values))
            elif kind == "GlobalResponseNormalization":
                scalars.pop(0).copy_(torch.tensor([float(value) for value in weights]))
    assert not convolutions and not norms and not scalars
    return model.eval()


def in_torch_order(network):
    """Keras sorts a branched graph by depth; PyTorch walks one branch after the other."""

    def key(layer):
        part, _, rest = layer.name.partition("_")
        stage = {"stem1": 0, "stem2": 1, "head": 99}.get(part) or (0 if part == "stem1" else None)
        if stage is None:
            stage = 1 + int(part.removeprefix("block")) if part.startswith("block") else 98
        order = ("a", "b", "expand", "depthwise1", "depthwise2", "project", "response")
        inner = rest.split("_")[0]
        return stage, order.index(inner) if inner in order else len(order)

    weighted = [layer for layer in network.layers if layer.weights]
    return sorted(weighted, key=key)


def published_state_dict(model: CPMobile, spec: CPMobileSpec) -> dict[str, torch.Tensor]:
    """The state dict under the names of the published code, which are other than those here."""
    stages = ("s1", "s1", "s1", "s2", "s2", "s3")
    parts = {"expand": "block.0", "branches.0": "block.1", "project": "block.2"}
    if spec.separable:
        parts = {"expand": "exp_conv", "branches.0": "depth_conv"}
        parts |= {"branches.1": "depth_conv2", "project": "proj_conv"}
    prefixes = {"stems.0": "in_c", "stems.1": "in_c2", "head": "feed_forward"}
    for index, stage in enumerate(stages):
        block = f"stages.{stage}.b{index + 1}"
        prefixes |= {f"blocks.{index}.{own}": f"{block}.{name}" for own, name in parts.items()}
    state = {}
    for name, tensor in model.state_dict().items():
        if name.endswith(".scalars"):
            index = int(name.split(".")[1])
            block = f"stages.{stages[index]}.b{index + 1}.after_block_norm"
            state |= {f"{block}.gamma": tensor[:1], f"{block}.beta": tensor[1:]}
            continue
        prefix = next(own for own in prefixes if name.startswith(f"{own}."))
        state[prefixes[prefix] + name.removeprefix(prefix)] = tensor
    return state
