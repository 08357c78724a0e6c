"""Reading shards: many, cut, deleted, replaced."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from dcase_system.audio.store import waveforms as reading
from dcase_system.errors import InputError
from tests.audio.store.clips import corpus, names, stored, stored_values, write_corpus

__all__ = ["corpus"]


@pytest.fixture
def few_open(monkeypatch):
    monkeypatch.setattr(reading, "_MOST_OPEN", 2)


def test_shards_that_are_not_open_are_opened_and_others_let_go(tmp_path, corpus, few_open):
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)), clips_a_shard=1)
    order = np.random.default_rng(0).integers(0, 6, 50)
    assert stored_values(waveforms.take(order)) == order.tolist()
    assert len(waveforms.samples._mapped) == 2


def test_more_shards_than_files_may_be_open(tmp_path):
    limit = 40
    write_corpus(tmp_path / "corpus", 90)
    program = f"""
import resource, numpy as np
from pathlib import Path
from tests.audio.store.clips import names, stored, stored_values
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
folder = Path({str(tmp_path)!r})
sets = [stored(folder / "store", folder / "corpus", names(*range(90)), clips_a_shard=1)
        for _ in range(3)]
order = np.random.default_rng(0).permutation(90)
for one in sets:
    assert stored_values(one.take(order)) == order.tolist()
assert len(sets[0].samples.files) == 90
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > limit


@pytest.mark.parametrize("fault", ["cut", "deleted", "replaced"])
def test_a_shard_that_is_not_open_and_not_as_it_was_is_named(tmp_path, corpus, few_open, fault):
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)))
    path = tmp_path / "store" / "000002.int16"
    content = path.read_bytes()
    path.unlink()
    if fault != "deleted":
        path.write_bytes(content if fault == "replaced" else content[:-1])
    with pytest.raises(InputError, match=r"000002\.int16: shard of the store was cut, deleted or"):
        waveforms.gather(np.array([0, 5]))
    again = stored(tmp_path / "store", corpus, names(*range(6)))
    assert stored_values(again) == [0, 1, 2, 3, 4, 5]


def test_a_shard_that_is_cut_while_it_is_open_is_named(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)))
    os.truncate(tmp_path / "store" / "000001.int16", 100)
    assert stored_values(waveforms.take(np.array([0, 5]))) == [0, 5]
    with pytest.raises(InputError, match=r"000001\.int16: file was truncated while it was read"):
        waveforms.gather(np.array([2]))


def test_few_shards_may_be_deleted_under_their_reader(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(*range(6)))
    for path in (tmp_path / "store").glob("*.int16"):
        path.unlink()
    assert stored_values(waveforms) == [0, 1, 2, 3, 4, 5]


def test_no_positions_give_no_waveforms(tmp_path, corpus):
    waveforms = stored(tmp_path / "store", corpus, names(0))
    assert waveforms.gather(np.arange(0)).shape == (0, *waveforms.shape)
    assert len(stored(tmp_path / "none", corpus, [])) == 0
