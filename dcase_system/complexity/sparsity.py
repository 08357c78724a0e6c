"""Reports the effect of zero parameters on counts and file sizes."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np


def sparsity_report(network: keras.Model, files: Mapping[str, Path]) -> dict[str, Any]:
    """Reports a network's zeros and its sizes, zipped and unzipped.

    Args:
        network: Network submitted at float16.
        files: Exported files, by format.

    Returns:
        `params`, `nonzero_params` (trainable); `sparsity` of the convolution and dense kernels, and
        `layers`, the same per layer (depthwise kernels have their own class and are left out, as
        in TF-MOT); `float16_bytes` as counted by the rules since 2022,
        `nonzero_float16_bytes` as counted by those of 2021, `zipped_float16_bytes` of the same
        parameters; `files`: `bytes` and `zipped_bytes` of each.
    """
    kernels = {
        layer.name: keras.ops.convert_to_numpy(layer.kernel)
        for layer in network.layers
        if type(layer) in (keras.layers.Conv2D, keras.layers.Dense)
    }
    values = [np.ravel(keras.ops.convert_to_numpy(x)) for x in network.trainable_weights]
    half = np.concatenate(values).astype(np.float16)
    nonzero = int(np.count_nonzero(half))
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels.values())
    contents = {name: path.read_bytes() for name, path in files.items()}
    return {
        "params": len(half),
        "nonzero_params": nonzero,
        "sparsity": zeros / max(1, sum(kernel.size for kernel in kernels.values())),
        "layers": {name: float((kernel == 0).mean()) for name, kernel in kernels.items()},
        "float16_bytes": half.nbytes,
        "nonzero_float16_bytes": half.itemsize * nonzero,
        "zipped_float16_bytes": _zipped(half.tobytes()),
        "files": {
            name: {"bytes": len(content), "zipped_bytes": _zipped(content)}
            for name, content in contents.items()
        },
    }


def _zipped(content: bytes) -> int:
    return len(zlib.compress(content, 9))
