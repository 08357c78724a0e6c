"""The published YAMNet file without its int8 kernels."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils


def with_float_kernels(content: bytes) -> tuple[bytes, np.ndarray]:
    """Returns the same file with float32 kernels, and its mel bank (bins, bands)."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    bank = None
    for tensor in model.subgraphs[0].tensors:
        if tensor.type != schema.TensorType.INT8 or model.buffers[tensor.buffer].data is None:
            continue
        stored = np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(np.int8)
        values = stored.reshape(tensor.shape)
        scales = np.asarray(tensor.quantization.scale, np.float32)
        if len(scales) > 1:
            line = np.ones(values.ndim, int)
            line[tensor.quantization.quantizedDimension] = -1
            scales = scales.reshape(line)
        values = (values * scales).astype(np.float32)
        bank = values.T if values.shape == (64, 257) else bank
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.buffer, tensor.type = len(model.buffers), schema.TensorType.FLOAT32
        tensor.quantization = None
        model.buffers.append(buffer)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model)), bank
