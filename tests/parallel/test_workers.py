"""Training on many devices gives the result of one device, even if a worker is lost."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from dcase_system.core.errors import InputError
from dcase_system.parallel import rendezvous, workers
from tests.commands import Started, command

STUDENT = "student=17"  # 51 steps
OTHERS = "network=3,supernet=3"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(folder: Path, kinds: str, distribution="one_device", last_step=0, **others) -> Started:
    line = command("tests.parallel.worker", folder, kinds, distribution, last_step)
    return Started(line, environment=others)


def start_two(folder: Path, kinds: str, last_step: int = 0) -> list[Started]:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        start(
            folder,
            kinds,
            "multi_worker",
            last_step=last_step,
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]


def ended(process: Started) -> tuple[int, str]:
    done = process.wait()
    return done.returncode, done.stderr.decode()


def losses(folder: Path) -> list[float]:
    if folder.name == "student":
        return json.loads((folder / "losses-0.json").read_text())
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").open()]


def weights(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "network" / "weights.npz") as values:
        return dict(values)


def trained_alone(folder: Path, kinds: str) -> Path:
    status, errors = ended(start(folder, kinds))
    assert status == 0, errors
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return trained_alone(tmp_path_factory.mktemp("alone"), STUDENT)


@pytest.fixture(scope="module")
def others_alone(tmp_path_factory):
    return trained_alone(tmp_path_factory.mktemp("others"), OTHERS)


def assert_equal_losses(one: Path, many: Path, *kinds: str) -> None:
    for kind in kinds:
        np.testing.assert_allclose(losses(one / kind), losses(many / kind), rtol=0, atol=1e-4)


def test_two_workers_have_the_losses_of_one(alone, tmp_path):
    for process in start_two(tmp_path, STUDENT):
        status, errors = ended(process)
        assert status == 0, errors
    assert len(losses(alone / "student")) == 51
    assert_equal_losses(alone, tmp_path, "student")


@pytest.mark.slow
def test_two_workers_train_networks_and_supernets_of_one(others_alone, tmp_path):
    for process in start_two(tmp_path, OTHERS):
        status, errors = ended(process)
        assert status == 0, errors
    assert_equal_losses(others_alone, tmp_path, "network", "supernet")
    # The statistics of batch norm too; the supernet's belong to no sub-network.
    shared = weights(tmp_path / "network")
    for name, value in weights(others_alone / "network").items():
        np.testing.assert_allclose(shared[name], value, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_two_devices_of_one_machine_have_the_losses_of_one(alone, others_alone, tmp_path):
    status, errors = ended(start(tmp_path, f"{STUDENT},{OTHERS}", "mirrored"))
    assert status == 0, errors
    assert_equal_losses(alone, tmp_path, "student")
    assert_equal_losses(others_alone, tmp_path, "network", "supernet")


@pytest.mark.slow
def test_a_lost_worker_comes_back_and_the_training_goes_on(tmp_path):
    for process in start_two(tmp_path / "whole", STUDENT):
        assert ended(process)[0] == 0
    chief, other = start_two(tmp_path / "killed", STUDENT, last_step=20)
    assert ended(other)[0] == -9
    status, errors = ended(chief)
    assert status == 1
    assert "error: worker 0 of 2: a worker was lost" in errors
    assert "Traceback" not in errors
    for process in start_two(tmp_path / "killed", STUDENT):
        status, errors = ended(process)
        assert status == 0, errors
    whole, resumed = (weights(tmp_path / name / "student") for name in ("whole", "killed"))
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value)
    # Not from the beginning: the steps of the epochs that were saved are not taken again.
    assert len(losses(tmp_path / "killed" / "student")) < 51


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "variable is not set"),
        ("{", "not a cluster"),
        ("[]", "not a cluster"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
            "only workers are allowed",
        ),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "no worker 1"),
        ('{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}', "not a cluster"),
        ('{"cluster": {"worker": ["a:0"]}, "task": {"type": "worker", "index": 0}}', "HOST:PORT"),
        (
            '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
            "listed twice",
        ),
    ],
)
def test_a_wrong_cluster_is_refused(monkeypatch, text, reason):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=reason) as caught:
        workers.start("multi_worker")
    assert "\n" not in str(caught.value)


def test_nothing_is_mirrored_on_one_device():
    with pytest.raises(InputError, match="nothing to mirror on; expected 2 GPUs; received 1"):
        workers.start("mirrored", devices=["CPU:0"])


def test_one_worker_alone_agrees_with_itself():
    team = workers.team()
    assert team.is_chief and team.devices == 1
    assert team.broadcast_checked(True, "anything", "flags") is True
    team.barrier()


@pytest.mark.parametrize("index", [0, 1])
def test_who_does_not_come_in_time_is_named(index):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    other = f"worker {1 - index} \\({addresses[1 - index]}\\)"
    with pytest.raises(InputError, match=f"did not connect in time: {other}"):
        rendezvous.come_together(addresses, index, {}, wait_seconds=0.3)
