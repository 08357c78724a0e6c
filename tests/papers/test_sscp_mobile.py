"""Constants that SJTU-THU's report states, sentence by sentence, where the code has them."""

import pytest

from dcase_system.audio.specs import LogMelSpec
from dcase_system.challenge.members import (
    CHECKPOINTS,
    PASST,
    PASST_FROM_SCRATCH,
    PRETRAINED_MEMBERS,
    PUBLISHED_MEMBERS,
)
from dcase_system.challenge.student.plan import PUBLISHED, StudentPlan
from dcase_system.challenge.systems import BASE_CHANNELS, SYSTEMS
from dcase_system.challenge.teachers import missing_weights, teacher_plans
from dcase_system.complexity.counter import count
from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024
from dcase_system.corpora import tau
from dcase_system.models import features, registry
from dcase_system.models.passt import PaSSTSpec
from dcase_system.papers.sscp_mobile import BASELINE_TABLE, SURVIVING_CELLS, TABLE_1, TABLE_2


def test_splits():
    """Section 1: "approximately 5%, 10%, 25%, 50%, and 100% of the audio snippets"."""
    assert tau.SPLITS == (5, 10, 25, 50, 100)
    assert TABLE_2.columns[1:] == tuple(map(str, tau.SPLITS))


def test_limits():
    """Section 1: "model size (128 kB) and multiply accumulate operations (30 Million MACs)"."""
    assert (MAX_BYTES_2024, MAX_MACS_2024) == (128_000, 30_000_000)


def test_front_end_of_the_students():
    """Section 2.2.1: "a sampling rate of 32 kHz", "256 frequency bins", "a window size of 96 ms
    and a hop size of 16 ms": the authors' code has 500 samples, 15.6 ms."""
    assert LogMelSpec() == PUBLISHED
    assert (PUBLISHED.sample_rate, PUBLISHED.n_mels) == (32_000, 256)
    assert PUBLISHED.window_length / PUBLISHED.sample_rate == 0.096
    assert PUBLISHED.hop_length / PUBLISHED.sample_rate == pytest.approx(0.016, abs=0.0005)


def test_front_end_of_the_teachers():
    """Section 2.2.1: "the same feature configuration as the original paper" (PaSST)."""
    spec = features.PASST
    assert (spec.sample_rate, spec.n_mels, spec.window_length, spec.hop_length) == (
        *(32_000, 128),
        *(800, 320),
    )


def test_augmentation():
    """Section 2.2.2: rolled clips, random masks "in the frequency band and time dimensions", and
    Freq-MixStyle "applied to a batch with a certain probability", "a Beta distribution"."""
    plan = StudentPlan(architecture="cp_mobile")
    assert (plan.roll_seconds, plan.mask_mels) == (0.1, 48)  # widths of the 2024 baseline
    assert (plan.mixstyle_probability, plan.mixstyle_alpha) == (0.4, 0.3)
    assert all(SYSTEMS[name].mask_frames > 0 for name in ("S1", "S2", "S3"))


def test_the_ensemble_is_three_published_passt_and_one_from_scratch():
    """Section 2.3: "we selected three models", "we have also retrained a Passt from scratch",
    "we ensemble these four models"."""
    assert (len(PUBLISHED_MEMBERS), PRETRAINED_MEMBERS, len(CHECKPOINTS)) == (4, 3, 3)
    assert all(isinstance(registry.named_spec(name), PaSSTSpec) for name in PUBLISHED_MEMBERS)
    plans = teacher_plans(PUBLISHED_MEMBERS, ["a", "b", "c"], seed=0, given={})
    assert [plan.initial_weights is None for plan in plans] == [False] * 3 + [True]
    assert {plan.learning_rate for plan in plans[:3]} == {PASST["learning_rate"]}
    assert plans[3].learning_rate == PASST_FROM_SCRATCH["learning_rate"]
    assert len({plan.seed for plan in plans}) == 4


@pytest.mark.parametrize(
    ("members", "weights", "words"),
    [
        (PUBLISHED_MEMBERS, [], "4 of 4 PaSST teachers start from random weights"),
        (PUBLISHED_MEMBERS, ["a"], "3 of 4 PaSST teachers start from random weights"),
        (PUBLISHED_MEMBERS, ["a", "b", "c"], None),
        (["cp_mobile", "cp_mobile_teacher"], [], None),
    ],
)
def test_missing_published_weights_are_named(members, weights, words):
    said = missing_weights(teacher_plans(members, weights, seed=0, given={}))
    if words is None:
        assert said is None
    else:
        assert words in said
        assert all(name in said for name in CHECKPOINTS)


def test_widths_to_prune_from():
    """Section 2.4: "base channels are 48, 64, 80, 96, respectively"."""
    assert BASE_CHANNELS == (48, 64, 80, 96)
    assert all(f"sscp_mobile_{base}" in registry.ARCHITECTURES for base in BASE_CHANNELS)


@pytest.mark.parametrize("name", ["S1", "S2", "S3"])
def test_costs_of_table_1(name):
    """Table 1: parameters and MACs of the three systems; 63,875 of S2 is a misprint of 64,875."""
    printed = TABLE_1.row(system=name)
    counted = count(registry.build(registry.named_spec(f"sscp_mobile_{name.lower()}")))
    assert counted.macs == printed["MACs"]
    misprint = 1_000 if name == "S2" else 0
    assert counted.params == printed["parameters"] + misprint


def test_table_2_as_printed():
    """Table 2: "0.521763 0.529521 0.527011" and so on; of 50 and 100 two cells each survive."""
    assert TABLE_2.row(system="S1")["5"] == 52.1763
    assert TABLE_2.row(system="S2")["25"] == 59.1428
    assert TABLE_2.row(system="S3")["10"] == 55.8442
    assert {row[4:] for row in TABLE_2.rows} == {(None, None)}
    assert SURVIVING_CELLS["100"] == (62.1780, 61.3431)


def test_the_baselines_costs_are_those_of_our_network():
    printed = BASELINE_TABLE.row(system="baseline")
    counted = count(registry.build(registry.named_spec("cp_mobile")))
    assert (counted.params, counted.macs) == (printed["parameters"], printed["MACs"])
