"""CP-ResNet in PyTorch with the published tensor names, as the reference of the parity test.

Written from the published description (see dcase_system/models/cp_resnet.py), not copied; inference
only.
"""

from collections import OrderedDict

import torch
from torch import nn

from dcase_system.models.cp_resnet import CPResNetSpec, ResBlockSpec


class Block(nn.Module):
    def __init__(self, inputs: int, spec: ResBlockSpec):
        super().__init__()
        first, second = spec.kernels
        self.conv1 = nn.Conv2d(inputs, spec.inner, first, padding=first // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(spec.inner)
        self.conv2 = nn.Conv2d(spec.inner, spec.channels, second, padding=second // 2, bias=False)
        self.bn2 = nn.BatchNorm2d(spec.channels)
        self.shortcut = nn.Sequential()
        if spec.projected:
            self.shortcut.add_module("conv", nn.Conv2d(inputs, spec.channels, 1, bias=False))
            self.shortcut.add_module("bn", nn.BatchNorm2d(spec.channels))
        self.pool = spec.pool

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))
        return nn.functional.max_pool2d(y, self.pool)


class CPResNet(nn.Module):
    """Log-mel (batch, channels, mels, frames) to logits."""

    def __init__(self, spec: CPResNetSpec):
        super().__init__()
        self.in_c = nn.Sequential(
            nn.Conv2d(spec.input_channels, spec.stem_channels, 5, 2, 1, bias=False),
            nn.BatchNorm2d(spec.stem_channels),
            nn.ReLU(),
        )
        channels, per_stage = spec.stem_channels, len(spec.blocks) // 3
        for stage in range(3):
            blocks = OrderedDict()
            for index, block in enumerate(spec.blocks[stage * per_stage :][:per_stage], 1):
                blocks[f"block{index}"] = Block(channels, block)
                channels = block.channels
            self.add_module(f"stage{stage + 1}", nn.Sequential(blocks))
        self.feed_forward = nn.Sequential(
            nn.Conv2d(channels, spec.classes, 1, bias=False), nn.BatchNorm2d(spec.classes)
        )

    def forward(self, x):
        x = self.stage3(self.stage2(self.stage1(self.in_c(x))))
        return self.feed_forward(x).mean(dim=(2, 3))
