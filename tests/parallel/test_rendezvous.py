"""Workers find the chief; refused ones get the reason."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from dcase_system.core.errors import InputError
from dcase_system.parallel.rendezvous import come_together
from tests.parallel.test_workers import free_ports

SAME = {"code": "1", "flags": "--epochs=2"}


def together(alike: list[dict], indexes: list[int] | None = None) -> list[Exception | None]:
    """Returns each worker's result, the chief's first."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(len(alike))]

    def one(index: int, its: dict) -> Exception | None:
        try:
            come_together(addresses, index, its, wait_seconds=5)
        except InputError as error:
            return error
        return None

    with ThreadPoolExecutor(len(alike)) as pool:
        return list(pool.map(one, indexes or range(len(alike)), alike))


def test_those_who_are_alike_begin():
    assert together([SAME] * 3) == [None] * 3


@pytest.mark.parametrize("name", SAME)
def test_another_code_or_flag_is_refused_on_both_sides(name):
    for error in together([SAME, SAME | {name: "other"}]):
        assert isinstance(error, InputError)
        assert f"worker 1 has {name} other for {SAME[name]}" in str(error)


def test_an_index_that_is_taken_is_refused():
    errors = together([SAME] * 3, [0, 1, 1])
    assert any("worker 1 connected twice" in str(error) for error in errors)
    assert errors[0] is not None


def test_strangers_at_the_port_are_not_minded():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    host, port = addresses[0].split(":")
    with ThreadPoolExecutor(2) as pool:
        chief = pool.submit(come_together, addresses, 0, SAME, 10)
        for line in (b"GET / HTTP/1.1\r\n", b"[]\n", json.dumps({"worker": 1}).encode() + b"\n"):
            while True:
                try:
                    stranger = socket.create_connection((host, int(port)))
                    break
                except ConnectionRefusedError:
                    continue  # the chief is not there yet
            stranger.sendall(line)
            stranger.close()
        other = pool.submit(come_together, addresses, 1, SAME, 10)
        assert chief.result() is None
        assert other.result() is None


def test_a_port_that_is_taken_is_named():
    with (
        socket.create_server(("", 0)) as server,
        pytest.raises(InputError, match=r"cannot listen \(Address already in use\)"),
    ):
        address = f"127.0.0.1:{server.getsockname()[1]}"
        come_together([address, "127.0.0.1:1"], 0, SAME, 1)
