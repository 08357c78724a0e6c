import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.edge.device import tables
from dcase_system.edge.device.front_end import front_end_of
from tests.edge.device.compiled import Compiled, needs_gcc
from tests.edge.device.test_front_end import SIGNATURES


@needs_gcc
@pytest.mark.parametrize("name", ["longer FFT, normalised", "kaldi_mel"])
def test_memory_is_that_of_the_compiled_front_end(name, tmp_path):
    compiled = Compiled(SIGNATURES[name], tmp_path, scale=1.0, zero_point=0)
    memory = tables.memory(compiled.front_end)
    assert compiled.sizes() == (memory.state, memory.tables)
    assert memory.features == compiled.front_end.bands * compiled.front_end.columns


def test_weights_are_the_mel_bank_without_its_zeros():
    front_end = front_end_of(SIGNATURES["log_mel"])
    header = tables.constants_header(front_end)
    assert "#define FRONT_END_BANDS 32" in header and "#define FRONT_END_COLUMNS 16" in header
    (weights,) = (one for one in tables.float_tables(front_end) if one.name == "weights")
    assert np.sum(weights.values, dtype=float) == pytest.approx(front_end.bank.sum(), rel=1e-6)
    assert len(weights.values) < 3 * len(front_end.bank)


def test_an_input_of_too_fine_steps_is_rejected():
    front_end = front_end_of(SIGNATURES["log_mel"])
    with pytest.raises(InputError, match=r"too small for the front end in C.*received scale 1e-06"):
        tables.integer_tables(front_end, 1e-6, 0)
