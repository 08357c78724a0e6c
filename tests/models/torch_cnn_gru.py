"""CNN-GRU in PyTorch, as the reference of the parity test; inference only.

Written from the published layers and widths (see dcase_system/models/cnn_gru.py), not copied. Its
stem has the published grouped convolution, which the Keras network takes apart.
"""

import numpy as np
import torch
from torch import nn

from dcase_system.models.cnn_gru import CNNGRUSpec


def conv_bn(inputs, outputs, kernel=(1, 1), stride=(1, 1), groups=1):
    padding = (kernel[0] // 2, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


def shuffled(x, groups: int):
    batch, channels, *size = x.shape
    return x.reshape(batch, groups, channels // groups, *size).transpose(1, 2).reshape(x.shape)


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.reduce = nn.Linear(channels, channels // 2)
        self.excite = nn.Linear(channels // 2, channels)

    def forward(self, x):
        factors = torch.sigmoid(self.excite(torch.relu(self.reduce(x.mean(dim=(2, 3))))))
        return x * factors[:, :, None, None]


class Path(nn.Module):
    def __init__(self, inputs: int, inner: int, pool: nn.Module):
        super().__init__()
        self.pool = pool
        self.inner = conv_bn(inputs, inner)
        self.frequency = conv_bn(inner, 2 * inner, (5, 1), groups=inner)
        self.time = conv_bn(2 * inner, 2 * inner, (1, 5), (2, 2), groups=2 * inner)
        self.scale = SqueezeExcite(2 * inner)

    def forward(self, x):
        x = self.time(self.frequency(self.inner(self.pool(x))))
        return self.scale(nn.functional.silu(x))


class CNNGRU(nn.Module):
    """Log-mel (batch, 1, mels, frames) to logits."""

    def __init__(self, spec: CNNGRUSpec):
        super().__init__()
        stem, joint = spec.stem_channels, 2 * spec.path_inner
        self.stem = spec.stem_channels
        self.first = conv_bn(1, spec.stem_inner, (3, 3))
        self.second = conv_bn(spec.stem_inner, stem)
        self.frequency = conv_bn(stem, 2 * stem, (3, 1), groups=stem)
        self.time = conv_bn(2 * stem, 2 * stem, (1, 3), groups=stem)
        self.scale = SqueezeExcite(2 * stem)
        self.max_path = Path(2 * stem, spec.path_inner, nn.MaxPool2d(2))
        self.mean_path = Path(2 * stem, spec.path_inner, nn.AvgPool2d(2))
        self.joint = conv_bn(joint, joint)
        self.widen = conv_bn(joint, 2 * joint, (5, 1), (2, 1), groups=joint)
        self.last = conv_bn(2 * joint, spec.gru_steps, (5, 1))
        self.gru = nn.GRU(spec.input_shape[0] // 16, spec.gru_units, batch_first=True)
        self.logits = nn.Linear(spec.gru_steps, spec.classes)
        self.shares = nn.Parameter(torch.tensor([0.3, 0.6, 0.8, 0.45]))

    def forward(self, x):
        silu, mean_pool, max_pool = (nn.functional.silu, nn.AvgPool2d(2), nn.MaxPool2d(2))
        x = shuffled(self.second(self.first(x)), self.stem // 2)
        x = self.scale(silu(self.time(self.frequency(x))))
        a, b = self.max_path(x), self.mean_path(x)
        one, two, three, four = self.shares
        mixed_mean = one * mean_pool(b) + (1 - one) * mean_pool(a)
        mixed_max = two * max_pool(a) + (1 - two) * max_pool(b)
        x = three * mixed_mean + (1 - three) * mixed_max
        x = self.joint(x) + x
        x = silu(self.widen(shuffled(x, x.shape[1] // 2)))
        steps = silu(self.last(x)).mean(dim=3)
        read, _ = self.gru(steps)
        return self.logits(silu(four * steps.mean(dim=2) + (1 - four) * read.mean(dim=2)))


def copy_to_keras(model: CNNGRU, network) -> None:
    """Copies all weights into the Keras network."""
    pairs = {
        "stem_a": model.first,
        "stem_b": model.second,
        "joint": model.joint,
        "last_depthwise": model.widen,
        "last": model.last,
    }
    for kind, path in (("max", model.max_path), ("mean", model.mean_path)):
        pairs |= {f"{kind}_path": path.inner, f"{kind}_path_frequency": path.frequency}
        pairs |= {f"{kind}_path_time": path.time}
        _excite(network, f"{kind}_path", path.scale)
    _excite(network, "stem", model.scale)
    for name, module in pairs.items():
        layer = network.get_layer(f"{name}_conv")
        _kernel(layer, _numpy(module[0].weight))
        _norm(network.get_layer(f"{name}_bn"), module[1])
    # Group g of the published convolution reads channels 2g and 2g + 1, the first and second of g.
    frequency, time = _numpy(model.frequency[0].weight), _numpy(model.time[0].weight)
    for half, name in enumerate(("stem_first", "stem_second")):
        _kernel(network.get_layer(f"{name}_frequency_conv"), frequency[half::2])
        _norm(network.get_layer(f"{name}_frequency_bn"), model.frequency[1], slice(half, None, 2))
        _kernel(network.get_layer(f"{name}_time_conv"), time[:, half : half + 1])
    _norm(network.get_layer("stem_time_bn"), model.time[1])
    gates = np.argsort([1, 0, 2])  # PyTorch: reset, update, new; Keras: update, reset, new
    own = [_numpy(getattr(model.gru, name)) for name in ("weight_ih_l0", "weight_hh_l0")]
    offsets = [_numpy(getattr(model.gru, name)) for name in ("bias_ih_l0", "bias_hh_l0")]
    ordered = [np.concatenate([np.split(w, 3)[gate] for gate in gates]) for w in own + offsets]
    network.get_layer("gru").set_weights([ordered[0].T, ordered[1].T, np.stack(ordered[2:])])
    _dense(network.get_layer("logits"), model.logits)
    for name, share in zip(
        ("mean_mixed", "max_mixed", "mixed", "head_mixed"), _numpy(model.shares), strict=True
    ):
        network.get_layer(name).set_weights([share])


def _numpy(tensor) -> np.ndarray:
    return tensor.detach().numpy()


def _kernel(layer, weight: np.ndarray) -> None:
    shape = layer.kernel.shape
    if "Depthwise" in type(layer).__name__:  # (channels * multiplier, 1, rows, columns)
        weight = weight.reshape(shape[2], shape[3], *shape[:2]).transpose(2, 3, 0, 1)
    else:
        weight = weight.transpose(2, 3, 1, 0)
    layer.set_weights([weight])


def _norm(layer, norm, part=slice(None)) -> None:
    tensors = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    layer.set_weights([_numpy(tensor)[part] for tensor in tensors])


def _dense(layer, linear) -> None:
    layer.set_weights([_numpy(linear.weight).T, _numpy(linear.bias)])


def _excite(network, name: str, module: SqueezeExcite) -> None:
    _dense(network.get_layer(f"{name}_reduce"), module.reduce)
    _dense(network.get_layer(f"{name}_excite"), module.excite)
