"""An epoch of training in PyTorch, as in the baseline of DCASE 2024 Task 1.

Files are read anew, resampled in the batch by a convolution with a windowed sinc (as torchaudio's
`Resample`), and their log-mels taken by `torch.stft` and one matrix product (as its
`MelSpectrogram`); then Freq-MixStyle, the network and AdamW. Written from the description of these.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from torch.nn import functional

from dcase_system.audio.filters import htk_mel_bank
from dcase_system.audio.specs import LogMelSpec
from tests.benchmarks.clips import SAMPLE_RATE, SOURCE_RATE
from tests.models.torch_networks import CPMobile

_ZEROS, _ROLLOFF = 6, 0.99  # of torchaudio's default filter


class Resample(nn.Module):
    """44.1 to 32 kHz by a polyphase filter, as one strided convolution."""

    def __init__(self):
        super().__init__()
        divisor = math.gcd(SOURCE_RATE, SAMPLE_RATE)
        self.source, self.target = SOURCE_RATE // divisor, SAMPLE_RATE // divisor
        base = min(self.source, self.target) * _ROLLOFF
        self.width = math.ceil(_ZEROS * self.source / base)
        at = torch.arange(-self.width, self.width + self.source) / self.source
        phases = -torch.arange(self.target)[:, None] / self.target
        t = ((phases + at) * base).clamp(-_ZEROS, _ZEROS)
        window = torch.cos(t * math.pi / _ZEROS / 2) ** 2
        self.register_buffer("filters", (torch.sinc(t) * window * base / self.source)[:, None])

    def forward(self, x):
        length = math.ceil(self.target * x.shape[-1] / self.source)
        x = functional.pad(x[:, None], (self.width, self.width + self.source))
        y = functional.conv1d(x, self.filters, stride=self.source)
        return y.transpose(1, 2).reshape(len(y), -1)[:, :length]


class LogMel(nn.Module):
    """(clips, samples) to (clips, 1, mels, frames)."""

    def __init__(self, spec: LogMelSpec):
        super().__init__()
        self.spec = spec
        self.register_buffer("window", torch.hann_window(spec.window_length))
        self.register_buffer("bank", torch.from_numpy(htk_mel_bank(spec).T).float())

    def forward(self, x):
        spec = self.spec
        spectrum = torch.stft(
            x,
            spec.fft_length,
            spec.hop_length,
            spec.window_length,
            self.window,
            center=True,
            return_complex=True,
        )
        mel = self.bank @ spectrum.abs().square()
        return (mel + spec.log_offset).log()[:, None]


def mixstyle(x, probability: float, alpha: float):
    """Freq-MixStyle: statistics of each frequency, mixed with those of another clip."""
    if torch.rand(()) > probability:
        return x
    mean = x.mean(dim=(1, 3), keepdim=True).detach()
    deviation = (x.var(dim=(1, 3), keepdim=True) + 1e-6).sqrt().detach()
    share = torch.distributions.Beta(alpha, alpha).sample((len(x), 1, 1, 1))
    other = torch.randperm(len(x))
    mixed_deviation = share * deviation + (1 - share) * deviation[other]
    return (x - mean) / deviation * mixed_deviation + share * mean + (1 - share) * mean[other]


class Files(torch.utils.data.Dataset):
    """Clips of a folder at their own rate, decoded each time."""

    def __init__(self, folder: Path, names: list[str], labels: np.ndarray):
        self.folder, self.names, self.labels = folder, names, labels

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, at: int):
        samples, _ = soundfile.read(self.folder / self.names[at], dtype="float32")
        return torch.from_numpy(samples), torch.from_numpy(self.labels[at])


def loader(files: Files, batch_size: int, workers: int) -> torch.utils.data.DataLoader:
    """Shuffled batches from persistent worker processes."""
    return torch.utils.data.DataLoader(
        files,
        batch_size,
        shuffle=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,
    )


def network_step(spec, layout: torch.memory_format) -> Callable:
    """A step of the network alone: of ((clips, 1, mels, frames), targets)."""
    model = CPMobile(spec).to(memory_format=layout).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-4)

    def step(features, targets) -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(features.contiguous(memory_format=layout)), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def waveform_step(spec, layout: torch.memory_format, *, resample: bool) -> Callable:
    """A step from waveforms, augmentation included; from 44.1 kHz if they are resampled."""
    step, log_mel = network_step(spec, layout), LogMel(LogMelSpec())
    resampled = Resample() if resample else nn.Identity()

    def run(waveforms, targets) -> float:
        with torch.no_grad():
            features = mixstyle(log_mel(resampled(waveforms)), 0.4, 0.3)
        return step(features, targets)

    return run


def epoch(batches: torch.utils.data.DataLoader | Iterator, step: Callable) -> None:
    for waveforms, targets in batches:
        step(waveforms, targets)
