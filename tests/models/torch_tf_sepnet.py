"""TF-SepNet in PyTorch with the published tensor names, as the reference of the parity test.

Written from the published description (see dcase_system/models/tf_sepnet.py), not copied; inference
only.
"""

import torch
from torch import nn

from dcase_system.models.tf_sepnet import TFSepNetSpec


class ConvBn(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel=(1, 1), stride=1, groups=1):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self._conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self._bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return torch.relu(self._bn(self._conv(x)))


class Norm(nn.Module):
    def __init__(self, weight: float):
        super().__init__()
        self.weight = weight

    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=(1, 3), keepdim=True)
        return self.weight * x + (x - mean) / torch.sqrt(variance + 1e-5)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        half = outputs // 2
        self.trans_conv = ConvBn(inputs, outputs) if inputs != outputs else None
        self.freq_dw_conv = ConvBn(half, half, (3, 1), groups=half)
        self.freq_pw_conv = ConvBn(half, half)
        self.temp_dw_conv = ConvBn(half, half, (1, 3), groups=half)
        self.temp_pw_conv = ConvBn(half, half)

    def forward(self, x):
        x = x if self.trans_conv is None else self.trans_conv(x)
        x = torch.stack(x.chunk(2, dim=1), dim=2).flatten(1, 2)  # one of each half in turn
        first, second = x.chunk(2, dim=1)
        first = first + self.freq_pw_conv(self.freq_dw_conv(first).mean(dim=2, keepdim=True))
        second = second + self.temp_pw_conv(self.temp_dw_conv(second).mean(dim=3, keepdim=True))
        return torch.cat([first, second], dim=1)


class Head(nn.Module):
    def __init__(self, inputs: int, classes: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, classes, 1)

    def forward(self, x):
        return self.conv(x).mean(dim=(2, 3))


class TFSepNet(nn.Module):
    """Log-mel (batch, 1, mels, frames) to logits."""

    def __init__(self, spec: TFSepNetSpec):
        super().__init__()
        inner, channels = spec.stem_inner, spec.stem_channels
        self.conv_layers = nn.Sequential(
            ConvBn(1, inner, (3, 3), 2), ConvBn(inner, channels, (3, 3), 2, groups=inner)
        )
        layers: list[nn.Module] = [Norm(spec.identity_weight)]
        for stage in spec.stages:
            layers += [nn.MaxPool2d(2)] * stage.pooled
            for _ in range(stage.blocks):
                layers.append(Block(channels, stage.channels))
                channels = stage.channels
            layers.append(Norm(spec.identity_weight))
        self.middle_layers = nn.Sequential(*layers)
        self.classifier = Head(channels, spec.classes)

    def forward(self, x):
        return self.classifier(self.middle_layers(self.conv_layers(x)))
