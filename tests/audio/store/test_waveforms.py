"""Reading a store that is truncated or deleted."""

import os

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from tests.audio.store.clips import ROW_BYTES, corpus, names, stored, stored_values

__all__ = ["corpus"]


def test_a_store_that_is_cut_while_it_is_open_is_named(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)))
    os.truncate(tmp_path / "store" / "waveforms.int16", 2 * ROW_BYTES + 100)
    assert stored_values(waveforms.take(np.array([0, 1]))) == [0, 1]
    for position in (2, 5):
        message = r"waveforms\.int16: file was truncated while .* received 32,100"
        with pytest.raises(InputError, match=message):
            waveforms.gather(np.array([position]))
    again = stored(tmp_path / "store", corpus, names(*range(6)))
    assert stored_values(again) == stored_values(waveforms) == [0, 1, 2, 3, 4, 5]


def test_a_store_may_be_deleted_under_its_reader(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)))
    (tmp_path / "store" / "waveforms.int16").unlink()
    assert stored_values(waveforms) == [0, 1, 2, 3, 4, 5]


def test_no_positions_give_no_waveforms(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(0))
    assert waveforms.gather(np.arange(0)).shape == (0, *waveforms.shape)
    assert len(stored(tmp_path / "none", corpus, [])) == 0
