"""Dropout on a replica's share of a batch, with a stand-in for the replicas' exchange."""

import numpy as np
import pytest

from dcase_system.parallel import replicas


@pytest.mark.parametrize("noise_shape", [None, (None, 1, 4)])
def test_a_share_gets_its_part_of_the_mask_of_the_batch(noise_shape, monkeypatch):
    whole = replicas.Dropout(0.5, noise_shape, seed=3)(np.ones((6, 5, 4)), training=True)
    monkeypatch.setattr(replicas, "count", lambda: 2)
    monkeypatch.setattr(replicas, "all_sum", lambda own: 2 * own)
    monkeypatch.setattr(replicas, "bounds", lambda examples: (examples // 2, examples))
    share = replicas.Dropout(0.5, noise_shape, seed=3)(np.ones((3, 5, 4)), training=True)
    np.testing.assert_array_equal(share, whole[3:])
    assert 0 < np.count_nonzero(share) < share.shape.num_elements()
