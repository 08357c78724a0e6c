from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.edge import arena, flatbuffer, tflite
from dcase_system.edge.arena import Buffer
from dcase_system.models import registry
from dcase_system.models.cp_mobile import sscp_mobile


def test_plan_by_hand():
    """The largest lies at 0; the second lives with it, so behind it; the third after it is gone."""
    living = [Buffer(16, 2, 3), Buffer(64, 0, 1), Buffer(32, 1, 2)]
    assert arena.plan(living) == [0, 0, 64]


def test_a_gap_is_used_if_it_is_large_enough():
    long, short = [Buffer(64, 0, 1), Buffer(48, 0, 3)], [Buffer(40, 2, 2), Buffer(32, 2, 2)]
    # The first two at 0 and 64. When the 64 are gone, 40 go there; 32 do not fit between.
    assert arena.plan([*long, *short]) == [0, 64, 0, 112]
    assert arena.plan([*long, short[1]]) == [0, 64, 0]


@given(
    st.lists(
        st.builds(
            lambda size, first, lives: Buffer(16 * size, first, first + lives),
            st.integers(1, 40),
            st.integers(0, 8),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_lives_at_one_time_lies_apart(living):
    offsets = arena.plan(living)
    for at in range(14):
        spans = sorted(
            (offset, offset + one.bytes)
            for offset, one in zip(offsets, living, strict=True)
            if one.first <= at <= one.last
        )
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert min(offsets) == 0


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
