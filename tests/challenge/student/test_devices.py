"""Fine-tuning for one device: the clips it takes, the devices it leaves out, what it resumes."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.challenge.student import stage
from dcase_system.challenge.student.devices import devices_to_tune, folder_of, train_devices
from dcase_system.challenge.student.plan import DevicePlan, StudentPlan
from dcase_system.core.errors import InputError
from dcase_system.distillation.ensemble_store import Ensemble
from dcase_system.models import registry
from dcase_system.models.stored import load_network, save_network
from dcase_system.pruning.rounds import MagnitudeRound
from dcase_system.training.plan import held_out_rows
from tests import toys
from tests.challenge.noise import noisy_data

PLAN = StudentPlan(architecture=toys.NAME, batch_size=4, validation_fraction=0.3, seed=5)
pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture(scope="module")
def data():
    """Without a dev-test list: to touch one is an error."""
    return noisy_data({"a": 40, "s1": 8, "s2": 20})


@pytest.fixture(scope="module")
def run_dir(data, toy, tmp_path_factory):
    """A finished student: these tests need its files, not its accuracy."""
    run_dir = tmp_path_factory.mktemp("run")
    spec = registry.for_clips(registry.named_spec(toys.NAME), len(data.scenes), 65)
    save_network(run_dir / "student", registry.build(spec), spec)
    return run_dir


@pytest.fixture
def trainings(monkeypatch):
    """Trains nothing; collects what would have been trained, and how."""
    found = []
    monkeypatch.setattr(stage, "fit", lambda training, plan, **_: found.append((training, plan)))
    return found


def test_a_device_s_network_sees_the_training_clips_of_that_device_alone(
    run_dir, data, trainings, tmp_path
):
    copied = shutil.copytree(run_dir, tmp_path / "run")
    clips = data.train.clips
    logits = np.random.default_rng(0).normal(size=(len(clips), 10)).astype(np.float32)
    teachers = Ensemble("of teachers", ("one",), (), {"one": logits})
    train_devices(copied, PLAN, DevicePlan(), ("a", "s2"), data, "student", teachers)
    held_out = held_out_rows(data.train.clips, PLAN.validation_fraction)
    for device, (training, _) in zip(("a", "s2"), trainings, strict=True):
        own = clips.recorded_by(device)
        rows = np.flatnonzero(own & ~held_out)
        np.testing.assert_array_equal(
            training.waveforms.gather(np.arange(len(rows))), data.train.audio.gather(rows)
        )
        assert len(training.waveforms) == len(rows)
        np.testing.assert_array_equal(training.targets[:, 0].argmax(axis=-1), clips.labels[rows])
        np.testing.assert_array_equal(training.targets[:, 1], logits[rows])
        held = np.flatnonzero(own & held_out)
        assert held.size
        np.testing.assert_array_equal(training.validation.labels, clips.labels[held])


def test_other_devices_are_not_imitated_and_seeds_are_each_device_s_own(
    run_dir, data, trainings, tmp_path
):
    copied = shutil.copytree(run_dir, tmp_path / "run")
    plan = replace(PLAN, impulse_response_probability=0.6)
    devices = DevicePlan(epochs=3, learning_rate=1e-4)
    train_devices(copied, plan, devices, ("a", "s1"), data, "student")
    plans = [plan for _, plan in trainings]
    for found in plans:
        assert (found.epochs, found.learning_rate) == (3, 1e-4)
        assert found.mixstyle_probability == found.impulse_response_probability == 0
    assert len({plan.seed for plan in (PLAN, *plans)}) == 3
    assert all(training.augmentation is None for training, _ in trainings)


def test_devices_with_few_clips_are_left_to_the_general_network(data, caplog):
    caplog.set_level("INFO", "dcase_system")
    plan = replace(PLAN, validation_fraction=0.0)
    assert devices_to_tune(data.train, plan, DevicePlan(min_clips=8)) == ("a", "s1", "s2")
    assert caplog.text == ""
    assert devices_to_tune(data.train, plan, DevicePlan(min_clips=9)) == ("a", "s2")
    assert "device s1: 8 training clips, fewer than 9; it is left to the general" in caplog.text
    # Clips that the student holds out do not count.
    assert devices_to_tune(data.train, PLAN, DevicePlan(min_clips=40)) == ()


@pytest.mark.parametrize("name", ["../a", "my phone", ""])
def test_a_device_that_no_folder_can_be_named_after_is_refused(data, name):
    clips = replace(data.train.clips, devices=tuple(name for _ in data.train.clips.devices))
    train = replace(data.train, clips=clips)
    with pytest.raises(InputError, match="device cannot have a folder of its own"):
        devices_to_tune(train, PLAN, DevicePlan(min_clips=1))


def test_an_interrupted_fine_tuning_resumes_and_ends_with_the_same_network(
    run_dir, data, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO", "dcase_system")
    copied = shutil.copytree(run_dir, tmp_path / "run")
    plan = replace(PLAN, validation_fraction=0.0)
    given = (copied, plan, DevicePlan(epochs=1), ("s1",), data, "student")
    trained = []

    def interrupt(folder, network, spec):
        trained.extend(network.get_weights())
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stage, "save_network", interrupt)  # when the training is over
        train_devices(*given)
    assert not folder_of(copied, "s1").exists()
    keys = train_devices(*given)
    assert "resuming after epoch 1" in caplog.text
    before = load_network(copied / "student").get_weights()
    after = load_network(folder_of(copied, "s1")).get_weights()
    for one, other in zip(after, trained, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(before, after, strict=True))
    assert train_devices(*given) == keys
    assert "device_s1: already done, skipped" in caplog.text


@pytest.mark.slow
def test_zeros_of_magnitude_pruning_stay(run_dir, data, tmp_path):
    copied = shutil.copytree(run_dir, tmp_path / "run")
    network = load_network(copied / "student")
    kernel = next(weight for weight in network.weights if weight.path.endswith("kernel"))
    zeros = np.zeros(kernel.shape, bool)
    zeros.flat[::2] = True
    kernel.assign(np.where(zeros, 0.0, kernel.numpy()))
    network.save(copied / "student" / "network.keras")
    plan = replace(PLAN, rounds=(MagnitudeRound(sparsity=0.5, epochs=1),))
    train_devices(copied, plan, DevicePlan(epochs=1), ("a",), data, "student")
    tuned = load_network(folder_of(copied, "a"))
    (weight,) = (one for one in tuned.weights if one.path == kernel.path)
    assert not weight.numpy()[zeros].any()
    assert (weight.numpy() != kernel.numpy()).any()
