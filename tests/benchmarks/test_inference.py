"""The student's files beside other runtimes; `bench_inference` prints the whole table."""

import pytest

from tests.benchmarks import bench_inference, peers


@pytest.mark.slow
@pytest.mark.skipif(
    bool(peers.missing()), reason="peers are not installed (requirements-parity.txt)"
)
def test_the_int8_student_is_ahead_of_onnx_runtime_and_pytorch_and_the_float_one_level():
    found = bench_inference.benchmark(rounds=15)
    print(bench_inference.as_text(found))
    torch = bench_inference.best_torch(found)
    assert bench_inference.ratio(found, "tf.lite int8", bench_inference.ONNX) < 0.8
    assert bench_inference.ratio(found, "tf.lite int8", "ONNX Runtime int8") < 0.8
    assert bench_inference.ratio(found, "tf.lite float32", bench_inference.ONNX) < 1.15
    assert bench_inference.ratio(found, "tf.lite float32", torch) < 0.5
