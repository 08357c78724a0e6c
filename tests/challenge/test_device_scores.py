"""Device-specific networks beside the general one: who classifies which clip, and what it costs."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from dcase_system.challenge import device_scores
from dcase_system.challenge.dev_test import PREDICTIONS, write_predictions
from dcase_system.complexity.rules import MAX_BYTES_2024, MAX_MACS_2024
from dcase_system.training.metrics import clustered_interval
from tests.challenge.noise import noisy_data

OWN = ("a", "s1")


def sure_of(labels: np.ndarray) -> np.ndarray:
    """Probabilities with most of the mass on these labels."""
    return np.eye(10)[labels] * 0.9 + 0.01


@pytest.fixture(scope="module")
def data():
    return noisy_data({"a": 4, "s1": 2}, {"a": 20, "s1": 10, "s4": 10}, samples=50)


@pytest.fixture(scope="module")
def scored(data, tmp_path_factory):
    """The general network is wrong everywhere, the networks of two devices are right."""
    folder = tmp_path_factory.mktemp("run")
    test = data.test.clips
    wrong = sure_of((test.labels + 1) % 10)
    (folder / "dev_test").mkdir()
    (folder / "devices").mkdir()
    write_predictions(folder / "dev_test", wrong, data)
    labels = {data.test.audio.gather([row]).tobytes(): test.labels[row] for row in range(len(test))}

    def right(network, signature, audio):
        return sure_of(np.array([labels[audio.gather([at]).tobytes()] for at in range(len(audio))]))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(device_scores, "submitted_probabilities", right)
        device_scores.write_device_scores(
            folder / "devices", folder / "dev_test", dict.fromkeys(OWN), None, data
        )
    return folder


def read(scored):
    return json.loads((scored / "devices" / "scores.json").read_text())


def test_each_clip_is_classified_by_the_network_of_its_device(scored, data):
    before, after = (
        pd.read_csv(scored / folder / PREDICTIONS, sep="\t", float_precision="round_trip")
        for folder in ("dev_test", "devices")
    )
    own = after.source_label.isin(OWN)
    assert (after.predicted == after.scene_label)[own].all()
    # The general network serves all other devices, to the last bit.
    pd.testing.assert_frame_equal(before[~own], after[~own])
    assert read(scored)["own_networks"] == list(OWN)


def test_scores_state_both_and_their_paired_difference(scored, data):
    scores, test = read(scored), data.test.clips
    differences = scores["differences"]
    assert differences["device_wise"]["a"] == {"difference": 100, "low": 100, "high": 100}
    assert differences["device_wise"]["s4"] == {"difference": 0, "low": 0, "high": 0}
    assert scores["general"]["overall"]["accuracy"] == 0
    right = np.isin(test.devices, OWN)
    macro = 100 * np.mean([right[test.labels == label].mean() for label in range(10)])
    assert scores["device_specific"]["overall"]["accuracy"] == pytest.approx(macro)
    overall = differences["overall"]
    assert overall["difference"] == pytest.approx(macro)
    assert (overall["low"], overall["high"]) == pytest.approx(
        clustered_interval(right.astype(float), test.labels, test.locations)
    )


def test_the_limits_of_2025_are_for_each_network_alone(tmp_path):
    def network(mels):
        return keras.Sequential(
            [keras.Input((mels, 65, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
        )

    small, over = network(64), network(128)
    device_scores.write_device_costs(tmp_path, small, {"a": over, "s1": small}, 1.0)
    costs = json.loads((tmp_path / "complexity.json").read_text())
    for of_network, complies in (
        (costs["general"], [True, True]),
        (costs["devices"]["s1"], [True, True]),
        (costs["devices"]["a"], [False, True]),  # 166,420 bytes
    ):
        assert [rule["complies"] for rule in of_network["rules"]] == complies
        assert [rule["limit"] for rule in of_network["rules"]] == [MAX_BYTES_2024, MAX_MACS_2024]
        assert of_network["rules"][0]["value"] == 2 * of_network["params"]
