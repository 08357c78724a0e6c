"""The student's files beside other runtimes; `bench_inference` prints the whole table."""

import numpy as np
import pytest

from dcase_system.models import registry
from tests.benchmarks import bench_inference, peers


@pytest.mark.slow
@pytest.mark.skipif(
    bool(peers.missing()), reason="peers are not installed (requirements-parity.txt)"
)
def test_the_int8_student_is_ahead_of_onnx_runtime_and_pytorch_and_the_float_one_level():
    network = registry.build(registry.named_spec("sscp_mobile_s1"))
    seconds = bench_inference.benchmark(network, rounds=15)

    def ratio(name: str, peer: str) -> float:
        return float(np.median(seconds[name] / seconds[peer]))

    torch = bench_inference.best_torch(seconds)
    assert ratio("tf.lite int8", bench_inference.ONNX) < 0.8
    assert ratio("tf.lite int8", "ONNX Runtime int8") < 0.8
    assert ratio("tf.lite float32", bench_inference.ONNX) < 1.15
    assert ratio("tf.lite float32", torch) < 0.5
