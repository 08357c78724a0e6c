"""ShuffleNet V2 in PyTorch, as the reference of the parity test.

Written from the paper (Ma et al., 2018, Figure 3 and Table 5), not copied; inference only.
"""

import torch
from torch import nn

from dcase_system.models.shufflenet import ShuffleNetV2Spec


def _conv(inputs: int, outputs: int, kernel=1, stride=1, *, depthwise=False, relu=True):
    layers = [
        nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride,
            kernel // 2,
            groups=inputs if depthwise else 1,
            bias=False,
        ),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class Unit(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        half = outputs // 2
        self.left = None
        if stride == 2:
            self.left = nn.Sequential(
                _conv(inputs, inputs, 3, 2, depthwise=True, relu=False), _conv(inputs, half)
            )
        self.right = nn.Sequential(
            _conv(inputs if stride == 2 else half, half),
            _conv(half, half, 3, stride, depthwise=True, relu=False),
            _conv(half, half),
        )

    def forward(self, x):
        if self.left is None:
            left, right = x.chunk(2, dim=1)
        else:
            left, right = self.left(x), x
        x = torch.cat([left, self.right(right)], dim=1)
        batch, channels, height, width = x.shape
        return x.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(x.shape)


class ShuffleNetV2(nn.Module):
    """(batch, channels, height, width) to logits; a unit has a left branch where it halves."""

    def __init__(self, spec: ShuffleNetV2Spec):
        super().__init__()
        self.stem = _conv(spec.input_channels, spec.stem_channels, 3, 2)
        stages, before = [], spec.stem_channels
        for units, channels in zip(spec.units, spec.channels, strict=True):
            for unit in range(units):
                stages.append(Unit(before, channels, 1 if unit else 2))
                before = channels
        self.stages = nn.Sequential(*stages)
        self.head = _conv(before, spec.head_channels)
        self.logits = nn.Linear(spec.head_channels, spec.classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.stem(x), 3, 2, 1)
        return self.logits(self.head(self.stages(x)).mean(dim=(2, 3)))
