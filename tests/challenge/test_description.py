"""What a meta file says of a system is what its plans say."""

from dataclasses import asdict

import pytest

from dcase_system.challenge.description import described, pruning_text
from dcase_system.challenge.student.plan import StudentPlan
from dcase_system.challenge.systems import PruningOptions, planned
from dcase_system.pruning.rounds import MagnitudeRound, PruningRound

EPOCHS = {"epochs": 1, "tuning_epochs": 1}
TEACHERS = {"key": "x", "members": ["1-passt_s", "2-passt_s"]}


def settings(name="S1", epochs=100, options=None, *, demo=False, teachers=TEACHERS, **values):
    trainings = planned(name, epochs, options or PruningOptions(), demo=demo)
    plan = StudentPlan(
        architecture=trainings.architecture,
        rounds=trainings.rounds,
        epochs=trainings.epochs,
        **{"mask_frames": 12, **values},
    )
    return {"plan": asdict(plan), "teachers": teachers, "external_data": []}


def test_the_width_is_that_of_the_network_that_ran():
    for demo, base in ((False, 64), (True, 32)):
        words = described({5: settings(demo=demo)}).system_adaptations
        assert words.startswith(f"SSCP-Mobile at base width {base}; AGP pruning of channels")


@pytest.mark.parametrize(
    ("pruning", "words"),
    [
        (PruningRound(ratio=0.5, **EPOCHS), "AGP pruning of channels by L2 norm, ratio 0.5"),
        (
            PruningRound(max_macs=30_000_000, max_bytes=128_000, schedule="linear", **EPOCHS),
            "linear pruning of channels by L2 norm, uniform ratios, to at most 30,000,000 MACs "
            "and 128,000 bytes at float16",
        ),
        (
            PruningRound(max_bytes=64_000, ratios="global", importance="fpgm", **EPOCHS),
            "AGP pruning of channels by FPGM, global ratios, to at most 64,000 bytes at float16",
        ),
        (
            MagnitudeRound(sparsity=0.78, schedule="linear", **EPOCHS),
            "linear magnitude pruning of 78% of the weights",
        ),
        (
            MagnitudeRound(sparsity=0.5, schedule="constant", pattern="2:4", **EPOCHS),
            "one-shot magnitude pruning of 50% of the weights (2 of 4)",
        ),
    ],
    ids=["ratio", "limits", "global", "zeros", "pattern"],
)
def test_a_round_is_told_with_schedule_and_targets(pruning, words):
    assert pruning_text(asdict(pruning)) == words


def test_hyper_parameters_that_differ_between_splits_are_named():
    runs = {5: settings(epochs=150, batch_size=16), 100: settings(epochs=40, batch_size=64)}
    assert described(runs).split_adaptations == (
        "epochs 150 (5 %), 40 (100 %); batch size 16 (5 %), 64 (100 %)"
    )
    same = described({5: settings(), 100: settings()})
    assert same.split_adaptations == "the same hyper-parameters on every split"
    assert described({5: settings()}).split_adaptations is None


def test_augmentations_are_those_of_the_plan():
    everything = settings(impulse_response_probability=0.6, mixup_alpha=0.3)
    assert described({5: everything}).data_augmentation == (
        "mixup, freq-mixstyle, time rolling, frequency masking, time masking, dir augmentation"
    )
    little = settings(mask_frames=0, mixstyle_probability=0.0)
    assert described({5: little}).data_augmentation == "time rolling, frequency masking"
    none = settings(mask_frames=0, mask_mels=0, roll_seconds=0.0, mixstyle_probability=0.0)
    assert described({5: none}).data_augmentation is None


@pytest.mark.parametrize(
    ("name", "teachers", "pipeline"),
    [
        (
            "S1",
            TEACHERS,
            "train teachers, ensemble teachers, train student, "
            "prune student using knowledge distillation",
        ),
        ("S1", None, "train student, prune student"),
        ("dense", None, "train student"),
    ],
)
def test_the_pipeline_is_what_ran(name, teachers, pipeline):
    found = described({5: settings(name, teachers=teachers)})
    assert found.pipeline == pipeline
    assert ("knowledge distillation" in found.complexity_management) == bool(teachers)
    assert ("pruning" in found.complexity_management) == (name == "S1")
