"""What a student costs in the end is known before it is trained."""

import pytest

from dcase_system.challenge.student.costs import check_limits, final_costs
from dcase_system.challenge.student.plan import FRONT_ENDS, PUBLISHED
from dcase_system.complexity.counter import count
from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.pruning.rounds import PruningRound


def rounds(*ratios, **limits):
    found = [PruningRound(ratio=ratio, epochs=1, tuning_epochs=1) for ratio in ratios]
    return (*found, PruningRound(epochs=1, tuning_epochs=1, **limits)) if limits else tuple(found)


def test_a_dense_student_is_its_architecture():
    costs = final_costs("sscp_mobile_32", (), 10, 32_000)
    assert costs == count(registry.build_fixed(registry.named_spec("sscp_mobile_32")))


def test_a_long_window_has_as_many_parameters_and_half_the_macs():
    """The second place of DCASE 2025: 8,192 and 1,364 samples at 44.1 kHz, 33 frames a second."""
    front_end = FRONT_ENDS["long_window"]
    for ours, theirs in ((front_end.window_length, 8_192), (front_end.hop_length, 1_364)):
        assert ours / 32_000 == pytest.approx(theirs / 44_100, rel=2e-3)
    assert (front_end.frames(32_000), front_end.n_mels) == (33, 256)
    short, long = (
        final_costs("sscp_mobile_32", (), 10, 32_000, one) for one in (PUBLISHED, front_end)
    )
    assert long.params == short.params
    assert 33 / 65 < long.macs / short.macs < 0.55


@pytest.mark.parametrize(
    ("architecture", "ratios", "params", "macs"),
    [
        ("sscp_mobile_64", (0.5,), 63_748, 29_982_132),  # S1
        ("sscp_mobile_96", (0.34, 0.51), 63_215, 29_221_122),  # S3
    ],
)
def test_pruned_systems_end_as_published(architecture, ratios, params, macs):
    costs = final_costs(architecture, rounds(*ratios), 10, 32_000)
    assert (costs.params, costs.macs) == (params, macs)
    check_limits(architecture, rounds(*ratios), 10, 32_000)


@pytest.mark.parametrize(
    ("architecture", "pruning", "classes", "samples", "said"),
    [
        ("sscp_mobile_32", (), 10, 64_000, "clips of 2 s.*received 125,128 bytes and 5"),
        ("sscp_mobile_96", rounds(0.67), 10, 32_000, "clips of 1 s.*received 129,750 bytes"),  # S2
        ("sscp_mobile_32", (), 40, 32_000, "received 13"),
        ("sscp_mobile_64", rounds(max_macs=40_000_000), 3, 32_000, "bytes and 3"),
    ],
)
def test_what_no_package_takes_is_refused(architecture, pruning, classes, samples, said):
    with pytest.raises(InputError, match=said) as caught:
        check_limits(architecture, pruning, classes, samples)
    assert "--target_bytes=128000 --target_macs=30000000" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_target_brings_longer_clips_into_a_package():
    limits = rounds(max_macs=30_000_000, max_bytes=128_000)
    check_limits("sscp_mobile_32", limits, 10, 64_000)
