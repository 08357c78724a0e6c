import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge.device.operators import methods, operators_header


def test_methods_are_spelled_as_the_resolver_s():
    names = ["MEAN", "DEPTHWISE_CONV_2D", "CONV_2D", "PADV2", "RELU6", "BATCH_MATMUL", "MEAN"]
    assert methods(names, "model") == [
        "AddBatchMatMul",
        "AddConv2D",
        "AddDepthwiseConv2D",
        "AddMean",
        "AddPadV2",
        "AddRelu6",
    ]


def test_header_registers_each_operator_once():
    header = operators_header(["ADD", "CONV_2D"], 1_234, "model")
    assert "constexpr int kArenaBytes = 1234;" in header
    assert "tflite::MicroMutableOpResolver<2>" in header
    assert header.count("operators.Add") == 2


def test_an_operator_that_tflite_micro_lacks_is_named():
    with pytest.raises(InputError, match=r"model: TFLite Micro lacks.*received GELU, RFFT2D"):
        methods(["RFFT2D", "ADD", "GELU"], "model")
