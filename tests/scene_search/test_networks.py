"""The run of Table 4: any network with the final plan; skipped when finished; refusals."""

from dataclasses import replace

import pytest

from dcase_system.core.errors import InputError
from dcase_system.models import registry
from dcase_system.models.shufflenet import ShuffleNetV2Spec
from dcase_system.reporting.report import page_of
from dcase_system.scene_search import scratch
from dcase_system.scene_search.networks import TABLE4, NetworksPlan, fitted, run_networks
from dcase_system.scene_search.training import FINAL_PLAN, ScenePlan
from dcase_system.training.schedule import Steps
from tests.scene_search.toys import FRONT_END, SPACE, TOY

SMALL = ShuffleNetV2Spec(4, (1,), (4,), 6)


def test_the_final_plan_is_the_papers():
    """Section 4.3: "the number of training epochs is 60. LR is multiplied with 0.5 after every 4
    epochs"; its statistics of batch norm are the moving ones."""
    assert (FINAL_PLAN.epochs, FINAL_PLAN.schedule) == (60, Steps(0.5, epochs=4))
    assert FINAL_PLAN.calibration_segments == 0
    assert NetworksPlan(networks={}).final == FINAL_PLAN


def test_a_candidates_plan_is_the_papers():
    """Section 4.3: "initial learning rate (LR) of 0.001, and the LR is multiplied with 0.1 after
    each epoch. The number of training epochs is 3"; "Weight decay with coefficient 0.0015";
    "Mixup"."""
    plan = ScenePlan()
    assert (plan.learning_rate, plan.schedule) == (0.001, Steps(0.1, epochs=1))
    assert (plan.epochs, plan.l2, plan.mixup) == (3, 0.0015, True)
    assert plan.batch_size == 64  # of the authors' code; the paper gives none


def test_networks_are_trained_scored_and_kept(data, tmp_path, monkeypatch):
    spec = next(SPACE.spec(one) for one in SPACE.candidates(0))
    plan = NetworksPlan(networks={"small": SMALL, "scene_b": spec}, final=TOY)
    results = run_networks(tmp_path, plan, data)
    assert results["corpus"] == "toy"
    rows = [(row["network"], row["precision"]) for row in results["table4"]]
    assert rows == [("small", "float32"), ("scene_b", "float32"), ("scene_b", "float16")]
    small, scene = results["networks"]
    assert results["table4"][0]["mib"] == small["complexity"]["params"] * 4 / 2**20
    assert results["table4"][2]["mib"] == scene["complexity"]["params"] * 2 / 2**20
    assert small["layers"] is None and scene["layers"][-1] == "3-way Sigmoid"
    for row, variant in zip(results["table4"], ("float32", "float32", "float16"), strict=True):
        scores = (small if row["network"] == "small" else scene)["scores"][f"keras_{variant}"]
        assert row["clip_accuracy"] == scores["clip_accuracy"]
    page = page_of(tmp_path)
    assert "small, scene_b" in page.summary
    monkeypatch.setattr(scratch, "trained_network", lambda *_, **__: pytest.fail("again"))
    assert run_networks(tmp_path, plan, data) == results


def test_every_network_of_table_4_gets_the_classes_and_segments_of_the_clips(data):
    for name in TABLE4:
        spec = fitted(registry.named_spec(name), data, name)
        assert (spec.classes, spec.input_channels) == (3, 2)
        assert spec.input_shape == (FRONT_END.bands, FRONT_END.segment_frames)
    ten = replace(data, classes=tuple("abcdefghij"))
    assert fitted(registry.named_spec("mobilenet_v1"), ten, "").classes == 10


def test_what_is_too_large_for_the_segments_is_refused_before_any_training(data, tmp_path):
    networks = {"small": SMALL, "alexnet": registry.named_spec("alexnet_modified")}
    with pytest.raises(InputError, match="input_shape does not fit"):
        run_networks(tmp_path / "run", NetworksPlan(networks=networks, final=TOY), data)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["cp_mobile", "cnn10", "passt_tiny"])
def test_networks_of_other_inputs_are_refused(data, tmp_path, name):
    plan = NetworksPlan(networks={name: registry.named_spec(name)}, final=TOY)
    with pytest.raises(InputError, match=f"{name}: network does not take scalograms") as caught:
        run_networks(tmp_path / "run", plan, data)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
