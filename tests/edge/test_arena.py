from dataclasses import replace

import numpy as np

from dcase_system.edge import arena, flatbuffer, tflite
from dcase_system.edge.tflite_model import TFLiteModel
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile


def test_a_small_graph_by_hand():
    """16 floats, 64, their hyperbolic tangent, 4: at most the two of 64 live together."""
    import tensorflow as tf

    wide, narrow = np.ones((16, 64), np.float32), np.ones((64, 4), np.float32)

    def function(x):
        return tf.matmul(tf.tanh(tf.matmul(x, wide)), narrow)

    found = arena.arena(tflite.converted_function(function, (1, 16), "x"))
    assert (found.tensors, found.least) == (2 * 64 * 4, 2 * 64 * 4)
    # Three operators, and 64 + 4 channels of the two with kernels.
    assert found.interpreter >= 3 * 128 + 68 * 8
    assert found.bytes == found.tensors + found.interpreter


# By the number of paddings that a converter leaves: TensorFlow's 2.17 and 2.21.
PLANNED = {9: {"int8": 6_048, "float32": 24_192}, 7: {"int8": 5_632, "float32": 22_528}}


def test_the_plan_is_that_of_tflite_micro(tmp_path):
    """Its own recording allocator on this network (tflite-micro, October 2026)."""
    network = registry.build(replace(sscp_mobile(8), input_shape=(32, 41), classes=4))
    clips = np.random.default_rng(0).normal(size=(4, 32, 41, 1)).astype(np.float32)
    tflite.export(network, tmp_path, clips, ("int8", "float32"))
    for name in ("int8", "float32"):
        content = (tmp_path / tflite.file_name(name)).read_bytes()
        paddings = flatbuffer.operators(flatbuffer.parse(content))["PAD"]
        found = arena.arena(content)
        assert found.tensors == PLANNED[paddings][name]
        assert found.least <= found.tensors


def test_a_stored_plan_takes_less_memory_and_changes_no_result(exported, tmp_path):
    path = exported / "student_int8.tflite"
    content = arena.with_plan(path.read_bytes())
    before, after = arena.arena(path.read_bytes()), arena.arena(content)
    assert after.tensors == after.least == before.least <= before.tensors
    assert after.interpreter == before.interpreter
    (tmp_path / "planned.tflite").write_bytes(content)
    inputs = np.random.default_rng(1).normal(size=(3, 32, 41, 1)).astype(np.float32)
    np.testing.assert_array_equal(
        TFLiteModel(tmp_path / "planned.tflite")(inputs), TFLiteModel(path)(inputs)
    )


def test_the_stored_plan_is_in_tflite_micro_s_format(exported):
    """Version, subgraph, number of tensors, and an offset for each: -1 for constants."""
    model = flatbuffer.parse(arena.with_plan((exported / "student_int8.tflite").read_bytes()))
    stored = np.frombuffer(flatbuffer.attached(model, "OfflineMemoryAllocation"), "<i4")
    graph = model.subgraphs[0]
    assert stored[:3].tolist() == [0, 0, len(graph.tensors)]
    computed = sorted(arena.buffers(model, graph))
    assert np.flatnonzero(stored[3:] >= 0).tolist() == computed
    assert (np.delete(stored[3:], computed) == -1).all()
    assert (stored[3:][computed] % 16 == 0).all()


def test_a_plan_of_another_graph_is_not_taken(exported):
    content = arena.with_plan((exported / "student_int8.tflite").read_bytes())
    model = flatbuffer.parse(content)
    stored = flatbuffer.attached(model, "OfflineMemoryAllocation")
    flatbuffer.attach(model, "OfflineMemoryAllocation", stored[:-4])
    other = arena.arena(flatbuffer.serialise(model))
    assert other == arena.arena((exported / "student_int8.tflite").read_bytes())
