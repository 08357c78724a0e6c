"""Plans of teachers, and the warning of teachers that know their clips by heart."""

import pytest

from dcase_system.audio.specs import LogMelSpec, YamnetMelSpec
from dcase_system.challenge.members import CP_RESNET, FROZEN, PASST, YAMNET
from dcase_system.challenge.teachers import memorised, teacher_plans
from dcase_system.core.errors import InputError

MIXED = ("passt_s", "cp_resnet_32", "passt_s", "cp_resnet_32")
WITH_RESPONSES = {"impulse_response_probability": 0.6}


def test_passt_and_cp_resnet_stand_in_one_ensemble_half_of_each_without_responses():
    """Freq-MixStyle for all; device responses for the second of each architecture."""
    plans = teacher_plans(MIXED, ["a"], seed=0, given=WITH_RESPONSES, half_without_responses=True)
    assert [plan.impulse_response_probability for plan in plans] == [0.0, 0.0, 0.6, 0.6]
    assert all(plan.mixstyle_probability > 0 for plan in plans)
    assert [plan.front_end.n_mels for plan in plans] == [128, 256, 128, 256]
    assert plans[0].learning_rate == PASST["learning_rate"]
    assert {plan.learning_rate for plan in plans[1::2]} == {CP_RESNET["learning_rate"]}
    assert [plan.name for plan in plans] == [f"{i}-{name}" for i, name in enumerate(MIXED, 1)]


def test_all_members_hear_the_responses_by_default():
    plans = teacher_plans(MIXED, [], seed=0, given=WITH_RESPONSES)
    assert {plan.impulse_response_probability for plan in plans} == {0.6}


def test_yamnet_is_fine_tuned_or_frozen_from_imported_weights():
    tuned, frozen = (
        teacher_plans(["yamnet", "cp_resnet_32"], ["a"], seed=0, given={}, frozen=frozen)
        for frozen in (False, True)
    )
    assert [plan.frozen for plan in tuned + frozen] == [False, False, True, False]
    assert [plan.learning_rate for plan in (tuned[0], frozen[0])] == [
        YAMNET["learning_rate"],
        FROZEN["learning_rate"],
    ]
    assert [plan.front_end for plan in frozen] == [YamnetMelSpec(), LogMelSpec()]


def test_the_name_of_an_architecture_comes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cp_mobile").mkdir()
    (plan,) = teacher_plans(["cp_mobile"], [], seed=0, given={})
    assert isinstance(plan.front_end, LogMelSpec)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("frozen", "--frozen: no member has layers to freeze; expected --initial_weights"),
        ("half_without_responses", "no member trains with impulse responses; .* --impulse_resp"),
    ],
)
def test_a_choice_that_applies_to_no_member_is_refused(choice, message):
    with pytest.raises(InputError, match=message):
        teacher_plans(MIXED, [], seed=0, given={}, **{choice: True})


def test_members_leave_out_one_fold_after_another():
    plans = teacher_plans(["cp_mobile"] * 5, [], seed=0, given={}, folds=2)
    assert [(plan.folds, plan.fold) for plan in plans] == [(2, 0), (2, 1), (2, 0), (2, 1), (2, 0)]
    alone = teacher_plans(["cp_mobile"], [], seed=0, given={})
    assert [(plan.folds, plan.fold) for plan in alone] == [(1, 0)]


@pytest.mark.parametrize(
    ("accuracies", "others", "warns"),
    [
        ([97.0, 99.2], {}, True),
        ([97.0, 98.8], {}, False),
        ([100.0, 100.0], {"out_of_fold": {}}, False),
    ],
)
def test_teachers_that_know_their_clips_by_heart_are_warned_of(accuracies, others, warns):
    rows = {str(number): {"accuracy": value} for number, value in enumerate(accuracies)}
    rows["ensemble"] = {"accuracy": 100.0}
    warning = memorised({"train": rows, **others})
    assert (warning is not None) == warns
    if warning:
        assert "98.1 % right" in warning and "\n" not in warning
        assert "--folds" in warning and "--teaching=consistent" in warning
