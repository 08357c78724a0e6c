"""CNN10 in PyTorch with the published tensor names, as the reference of the parity tests.

Written from the published description (see dcase_system/models/cnn10.py), not copied; inference
only, and without its front end.
"""

import torch
from torch import nn

from dcase_system.models.cnn10 import CNN10Spec


class ConvBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return nn.functional.avg_pool2d(x, 2)


class CNN10(nn.Module):
    """Log-mel (batch, 1, frames, mels) to logits."""

    def __init__(self, spec: CNN10Spec):
        super().__init__()
        self.bn0 = nn.BatchNorm2d(spec.input_shape[0])
        before = 1
        for index, (width, _) in enumerate(spec.blocks, 1):
            self.add_module(f"conv_block{index}", ConvBlock(before, width))
            before = width
        self.fc1 = nn.Linear(before, spec.embedding)
        self.fc_audioset = nn.Linear(spec.embedding, spec.classes)

    def forward(self, x):
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)
        for block in (self.conv_block1, self.conv_block2, self.conv_block3, self.conv_block4):
            x = block(x)
        x = x.mean(dim=3)
        x = x.amax(dim=2) + x.mean(dim=2)
        return self.fc_audioset(torch.relu(self.fc1(x)))
