"""The same network, with the same weights, in ONNX Runtime and PyTorch, each on one thread."""

import copy
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np

from dcase_system.edge import tflite

Run = Callable[[], np.ndarray]


def missing() -> list[str]:
    """Returns the packages of requirements-parity.txt that are not installed."""
    return [name for name in ("onnxruntime", "tf2onnx", "torch") if find_spec(name) is None]


def onnx_runtime(network: keras.Model, features: np.ndarray, folder: Path) -> dict[str, Run]:
    """At float32, by tf2onnx from the SavedModel; at int8 by its own tool, per channel."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    saved, exact, ready, int8 = (str(folder / name) for name in ("saved", "a", "b", "c"))
    tflite.save_model(network, saved, features.shape[1:], (1,))
    convert = [sys.executable, "-m", "tf2onnx.convert", "--opset=17"]
    subprocess.run(
        [*convert, "--saved-model", saved, "--output", exact], check=True, capture_output=True
    )

    class Calibration(CalibrationDataReader):
        def __init__(self):
            self.left = iter([{_onnx_session(exact).get_inputs()[0].name: features}])

        def get_next(self):
            return next(self.left, None)

    quant_pre_process(exact, ready)
    # Of its formats and types, unsigned activations were the fastest here.
    quantize_static(ready, int8, Calibration(), per_channel=True, activation_type=QuantType.QUInt8)
    return {"float32": _onnx_run(exact, features), "int8": _onnx_run(int8, features)}


def _onnx_session(path: str):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _onnx_run(path: str, features: np.ndarray) -> Run:
    session = _onnx_session(path)
    taken = {session.get_inputs()[0].name: features}
    return lambda: session.run(None, taken)[0]


def pytorch(network: keras.Model, spec, features: np.ndarray, compiled: bool) -> dict[str, Run]:
    """In PyTorch: contiguous or channels-last, batch norms kept or folded, maybe compiled."""
    import torch

    from tests.models.torch_networks import CPMobile, copy_to_torch

    torch.set_num_threads(1)
    x = torch.from_numpy(np.ascontiguousarray(features.transpose(0, 3, 1, 2)))
    runs = {}
    for name in ("contiguous_format", "channels_last"):
        layout = getattr(torch, name)
        taken = x.to(memory_format=layout)
        model = copy_to_torch(network, CPMobile(spec)).to(memory_format=layout)
        runs[name] = _torch_run(model, taken)
        runs[f"{name}, folded"] = _torch_run(_folded(model), taken)
    if compiled:
        runs["channels_last, compiled"] = _torch_run(
            torch.compile(_folded(model), options={"freezing": True}), taken
        )
    return runs


def _torch_run(model, x) -> Run:
    import torch

    def run() -> np.ndarray:
        with torch.inference_mode():
            return model(x).numpy()

    return run


def _folded(model):
    """Returns a copy with batch norms folded into the convolutions before them."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    model = copy.deepcopy(model)
    for part in model.modules():
        if isinstance(part, nn.Sequential) and isinstance(part[0], nn.Conv2d):
            part[0], part[1] = fuse_conv_bn_eval(part[0], part[1]), nn.Identity()
    return model
