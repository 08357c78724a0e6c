"""The authors' own pruned SSCP-Mobile files against PyTorch on real clips.

The files are public (EOPhoeny/dcase2025_task1_inference, ckpts/c64_*distilled*.ckpt and c96_*), and
not part of this repository: name a folder that holds them in SSCP_CHECKPOINTS.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from dcase_system.audio.decode import read_audio, resample
from dcase_system.audio.log_mel import LogMel
from dcase_system.audio.specs import LogMelSpec
from dcase_system.complexity.counter import count
from dcase_system.models import registry
from dcase_system.models.checkpoints.convert import convert
from dcase_system.models.checkpoints.torch_file import read_state_dict

FOLDER = os.environ.get("SSCP_CHECKPOINTS")
# System, and the width that its pruning began from.
FILES = {"c64": ("s1", 64, 63_748, 29_982_132), "c96": ("s3", 96, 63_215, 29_221_122)}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.torch,
    pytest.mark.skipif(not FOLDER, reason="SSCP_CHECKPOINTS does not name the authors' files"),
]


@pytest.fixture(scope="module")
def features(shared):
    """(30, 256, 65, 1) of real clips of every scene."""
    paths = sorted((shared / "scenes10" / "audio").iterdir())[::110]
    clips = [resample(*read_audio(path), 32_000)[:, 0] for path in paths]
    return np.asarray(LogMel(LogMelSpec())(np.stack(clips).astype(np.float32)))


@pytest.mark.parametrize("width", FILES)
@pytest.mark.parametrize("number", [1, 2])
def test_imported_network_agrees_with_pytorch_on_real_clips(features, width, number):
    import torch

    from tests.models.torch_networks import CPMobile, published_state_dict

    system, base, params, macs = FILES[width]
    path = Path(FOLDER) / f"{width}_unpruned_distilled_{number}.ckpt"
    state = read_state_dict(path).tensors
    converted = convert(state, registry.named_spec(f"sscp_mobile_{base}"), path)
    assert converted.spec == registry.named_spec(f"sscp_mobile_{system}")
    counted = count(registry.build_fixed(converted.spec))
    assert (counted.params, counted.macs) == (params, macs)

    reference = CPMobile(converted.spec).eval()
    own = published_state_dict(reference, converted.spec)  # views of the module's own tensors
    with torch.no_grad():
        for name, tensor in own.items():
            if tensor.dtype.is_floating_point:
                tensor.copy_(torch.from_numpy(np.array(state[f"model.{name}"])))
        expected = reference(torch.from_numpy(features[..., 0])[:, None]).numpy()
    found = np.asarray(converted.network(features))
    assert np.abs(expected).max() > 1  # trained
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
