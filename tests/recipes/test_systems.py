"""The systems of the report as the recipes train them."""

import json
import math
from pathlib import Path

import pytest

from dcase_system.audio.specs import KaldiMelSpec
from dcase_system.challenge.systems import MASK_FRAMES
from dcase_system.edge.card import read_card
from dcase_system.models.features import CNN_GRU, TF_SEPNET
from dcase_system.models.signature import load_signature
from tests import small
from tests.commands import ALONE, FLOAT16, on_tiny, run, tiny_clips, too_wide


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "params", "complies"),
    [("S1", 63_748, True), ("S2", 64_875, False), ("S2c", 63_652, True), ("S3", 63_215, True)],
)
def test_pruned_systems_have_the_published_size(place, system, params, complies):
    out = place / system
    done = run(
        "recipes.split5",
        *on_tiny(place),
        f"--system={system}",
        "--nodistill",
        f"--output_dir={out}",
        published=True,
    )
    complexity = json.loads((out / "complexity.json").read_text())
    assert complexity["params"] == params
    assert all(rule["complies"] for rule in complexity["rules"]["2024 Task 1"]) == complies
    if complies:
        assert done.returncode == 0, done.stderr
    else:
        assert "128,000" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--system=dense", "--target_macs=1000000"],
            "targets and ratios are for systems that remove",
        ),
        (["--system=S3", "--base_channels=80"], "a width to prune from is for systems of one"),
        (["--system=S1", "--target_bytes=10"], "no pruning meets the limits; expected at most"),
        (["--system=S1", "--ratios=global"], "pruning round needs either a ratio or limits"),
        (
            ["--system=tf_sepnet", "--front_end=long_window"],
            "tf_sepnet_64: front end does not fit the network; expected 512 mel bands",
        ),
        pytest.param(
            ["--system=cnn_gru", "--tflite_formats=int8", "--qat_epochs=1"],
            "layer has no counterpart in tf_keras",
            marks=pytest.mark.slow,  # imports tf_keras
        ),
    ],
)
def test_targets_that_cannot_be_met_end_in_one_line(place, arguments, message):
    out = f"--output_dir={place / 'refused'}"
    done = run("recipes.split5", *on_tiny(place), "--nodistill", *arguments, out)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (place / "refused" / "wide").exists()  # said before any training


@pytest.mark.slow
def test_the_bare_recipe_trains_its_teachers_first_and_finds_them_again(place):
    bare = place / "bare"
    flags = ["--members=cp_mobile", "--teacher_epochs=1", f"--output_dir={bare}"]
    first = run("recipes.split5", *on_tiny(place), *flags)
    assert first.returncode == 0, first.stderr
    settings = json.loads((bare / "config.json").read_text())["settings"]
    assert (settings["system"], settings["teachers"]["members"]) == ("S1", ["1-cp_mobile"])
    assert settings["plan"]["mask_frames"] == MASK_FRAMES
    again = run("recipes.split5", *on_tiny(place), *flags)
    assert again.returncode == 0, again.stderr
    assert "epoch" not in again.stderr


def test_missing_published_weights_are_said_before_any_training(place):
    """Section 2.3: three published PaSST are fine-tuned, one is trained from scratch."""
    done = run("recipes.teachers", *tiny_clips(place), "--split=5", "--epochs=1", "--only=5")
    assert done.returncode == 1
    assert "no such member; expected 1 to 4; received 5" in done.stderr.splitlines()[-1]
    (said,) = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert "4 of 4 PaSST teachers start from random weights" in said
    assert "kkoutini/PaSST, releases v0.0.1-audioset/passt-s-f128-p16-s10-ap.476-swa.pt" in said


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--nodistill", "--teachers=x"], "--nodistill learns from no teachers"),
        (["--teaching=consistent", "--folds=2"], "by folds answer for the clips they left out"),
        (["--steps=9", "--epochs=2"], "both --steps and --epochs set the length of the training"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(place, flags, message):
    done = run("recipes.split5", *on_tiny(place), *flags)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_training_options_reach_the_network_and_its_files(place):
    out = place / "options"
    options = ["--steps=7", "--mixup_alpha=0.3", "--label_smoothing=0.1", "--front_end=long_window"]
    flags = [*tiny_clips(place), FLOAT16, *ALONE, "--batch_size=16", *options]
    done = run("recipes.split5", *flags, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    settings = json.loads((out / "config.json").read_text())["settings"]
    plan = settings["plan"]
    assert plan["epochs"] == math.ceil(7 / settings["steps_per_epoch"])
    assert (plan["mixup_alpha"], plan["label_smoothing"]) == (0.3, 0.1)
    assert plan["mask_frames"] == 6  # as many milliseconds as the published 12
    front_end = json.loads((out / "student" / "contract.json").read_text())["front_end"]
    assert plan["front_end"].items() <= front_end.items() and front_end["hop_length"] == 990
    assert json.loads((out / "student" / "spec.json").read_text())["input_shape"] == [256, 33]


def trained(place: Path, system: str, *arguments: str) -> tuple[Path, str]:
    out = place / system
    flags = [f"--system={system}", *arguments, f"--output_dir={out}"]
    done = run("recipes.split5", *on_tiny(place), *flags)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_tf_sepnet_trains_on_its_own_front_end_and_is_not_packed(place):
    out, said = trained(place, "tf_sepnet", "--nodistill")
    plan = json.loads((out / "config.json").read_text())["settings"]["plan"]
    assert KaldiMelSpec(**plan["front_end"]) == TF_SEPNET
    assert load_signature(out / "student").front_end == TF_SEPNET
    assert read_card(out / "edge" / "student_float16_waveform.tflite").signature.samples == 32_000
    assert "Not packed: its parameters take more than 128,000 bytes at float16" in said
    assert (out / "evaluation" / "output.split_5.csv").exists()
    assert not (out / "submission").exists()


@pytest.mark.slow
def test_cnn_gru_learns_from_teachers_that_answer_in_every_step_and_is_packed(place):
    teachers = ["--members=cp_mobile", "--teacher_epochs=1", "--teaching=consistent"]
    out, said = trained(place, "cnn_gru", *teachers)
    assert load_signature(out / "student").front_end == CNN_GRU
    assert "validated package of this split alone" in said
    (meta,) = (out / "submission").rglob("*.yaml")
    assert "CNN, GRU" in meta.read_text()


@pytest.mark.slow
def test_zeros_are_not_packed_and_the_reason_is_said(place):
    out = place / "zeros"
    flags = ["--system=magnitude", "--pruning_schedule=linear", "--nodistill"]
    done = run("recipes.split5", *on_tiny(place), *flags, f"--output_dir={out}")
    assert done.returncode == 0, done.stderr
    assert "Not packed: zeros change neither parameters nor MACs" in done.stdout
    assert not (out / "submission").exists()
    assert too_wide(done) == []
    settings = json.loads((out / "config.json").read_text())["settings"]
    assert settings["plan"]["rounds"][0]["schedule"] == "linear"
    sparsity = json.loads((out / "sparsity.json").read_text())
    assert sparsity["sparsity"] == pytest.approx(0.78, abs=0.005)  # after tuning too
    assert sparsity["params"] == small.costs("sscp_mobile_64").params
