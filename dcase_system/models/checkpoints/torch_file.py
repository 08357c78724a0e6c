"""Reads a PyTorch checkpoint as NumPy arrays, without running any code in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dcase_system.core.errors import InputError

# Keys of a state dict saved with other content: PyTorch Lightning's name, PANNs's name.
_WRAPPERS = ("state_dict", "model")


@dataclass(frozen=True)
class StateDict:
    """Content of a checkpoint.

    Attributes:
        tensors: Tensors by PyTorch's name, floating point as float32.
        others: Names of content besides the state dict (an optimizer's state, an epoch).
    """

    tensors: dict[str, np.ndarray]
    others: tuple[str, ...]


def read_state_dict(path: str | Path) -> StateDict:
    """Reads a checkpoint with PyTorch's `weights_only`: no code in the file can run.

    Args:
        path: File with a state dict, at the top level or under `state_dict` (Lightning) or `model`.

    Raises:
        InputError: PyTorch is not installed; or the file is not a checkpoint, holds anything but
            tensors and plain values, or holds no state dict.
        OSError: The file cannot be opened.
    """
    content = _load(Path(path))
    if not isinstance(content, Mapping):
        raise _no_state_dict(path, type(content).__name__)
    found = [name for name in _WRAPPERS if isinstance(content.get(name), Mapping)]
    state = content[found[0]] if found else content
    others = [str(name) for name in content if name != found[0]] if found else []
    if not state:
        raise _no_state_dict(path, "an empty dictionary")
    return StateDict({str(name): _array(path, name, state[name]) for name in state}, tuple(others))


def read_tensor(path: str | Path) -> np.ndarray:
    """Reads a file that holds one tensor, with PyTorch's `weights_only`.

    Raises:
        InputError: See `read_state_dict`; or the file holds something else.
        OSError: The file cannot be opened.
    """
    content = _load(Path(path))
    if isinstance(content, Mapping):
        raise InputError("does not hold exactly one tensor", where=path, received="a dictionary")
    return _array(path, "tensor", content)


def _load(path: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise InputError(
            "reading it needs PyTorch, which is not installed",
            where=path,
            expected="pip install -r requirements-parity.txt",
        ) from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    # Bytes that are not a checkpoint make PyTorch's reader raise nearly anything, assertions too;
    # its own message is a page of advice on how to run the code in the file.
    except Exception as error:
        code = re.search(r"GLOBAL (\S+)|(\S+) was not an allowed", str(error))
        if code:
            raise InputError(
                "refused, because reading it could run code",
                where=path,
                expected="tensors and plain values only",
                received=code[1] or code[2],
            ) from error
        raise InputError(
            "not a PyTorch checkpoint, or a damaged one",
            where=path,
            expected="a file written by torch.save",
            received=type(error).__name__,
        ) from error


def _array(path: str | Path, name: Any, value: Any) -> np.ndarray:
    import torch

    if not isinstance(value, torch.Tensor):
        raise _no_state_dict(path, f"{type(value).__name__} under {name!r}")
    if value.layout != torch.strided or value.is_quantized or value.is_complex():
        raise InputError(
            f"tensor {name} is sparse, quantised or complex", where=path, expected="dense real"
        )
    value = value.detach()
    return value.to(torch.float32).numpy() if value.is_floating_point() else value.numpy()


def _no_state_dict(path: str | Path, received: str) -> InputError:
    return InputError(
        "holds no state dict",
        where=path,
        expected="tensors by name, at the top level or under 'state_dict' or 'model'",
        received=received,
    )
