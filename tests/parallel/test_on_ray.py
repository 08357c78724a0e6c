"""Tasks on a cluster of two nodes: a lost node, a node with other code, no node."""

import contextlib
import os
import signal
import socket
import subprocess
import time

import pytest

from dcase_system.core.errors import InputError
from dcase_system.core.identity import identity, versions
from dcase_system.parallel import on_ray
from dcase_system.parallel.local import Local
from dcase_system.parallel.on_ray import Resources, cluster
from dcase_system.parallel.tasks import Task
from tests.commands import ROOT, command, heed_ctrl_c
from tests.parallel.graphs import all_end, package, pids, results, task
from tests.parallel.test_tasks import wait_for_pids

pytestmark = pytest.mark.cluster


@contextlib.contextmanager
def nodes(count=2):
    """A cluster on this machine with one core a node; the first node is the head."""
    from ray.cluster_utils import Cluster

    given = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "1")
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = Cluster(initialize_head=True, head_node_args=given)
        try:
            for _ in range(count - 1):
                started.add_node(**given)
            started.wait_for_nodes()
            yield started
        finally:
            started.shutdown()


@pytest.fixture(scope="module")
def two():
    with nodes() as started:
        yield started


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def started(folder, address, steps):
    given = command("tests.parallel.driver", f"--folder={folder}", f"--address={address}")
    return subprocess.Popen(
        [*given, f"--steps={steps}"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


@pytest.mark.parametrize(
    "kind",
    [
        "words",
        "none",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("closed", "silent", "gone")),
    ],
)
def test_an_address_without_a_cluster_is_refused_in_one_line_within_twenty_seconds(kind, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        given = {
            "words": "nowhere",
            "closed": f"127.0.0.1:{closed.getsockname()[1]}",
            "silent": f"127.0.0.1:{silent.getsockname()[1]}",
            "gone": "auto",
            "none": "auto",
        }
        environment = {**os.environ, "RAY_TMPDIR": str(tmp_path)}
        if kind == "gone":  # what a cluster that was killed has left
            (tmp_path / "ray").mkdir()
            (tmp_path / "ray" / "ray_current_cluster").write_text(given["closed"])
        begun = time.monotonic()
        done = subprocess.run(
            command("tests.parallel.driver", f"--folder={tmp_path}", f"--address={given[kind]}"),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        seconds = time.monotonic() - begun
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert ("not the address of a cluster" if kind == "words" else "no Ray cluster answers") in line
    assert seconds < 20


@pytest.mark.slow
def test_a_node_is_lost_and_nothing_with_it(tmp_path):
    with nodes() as both:
        driver = started(tmp_path / "ray", both.address, 20)
        wait_for_pids(tmp_path / "ray", 2)
        both.remove_node(both.list_all_nodes()[-1], allow_graceful=False)
        output, errors = driver.communicate(timeout=240)
    assert driver.returncode == 0, errors
    assert output == ""
    lines = errors.splitlines()
    assert any("was lost" in line and "running it again" in line for line in lines), errors
    assert all("was lost" in line or "/6 " in line for line in lines), errors  # nothing of Ray's
    Local(tmp_path / "logs").run(package(tmp_path / "local", 20))
    assert results(tmp_path / "ray") == results(tmp_path / "local")
    assert len(pids(tmp_path / "ray")) == 7
    assert not list(tmp_path.glob("ray/begun-*"))


@pytest.mark.slow
def test_a_failure_is_not_begun_again_and_says_why(two, tmp_path):
    tasks = [task(tmp_path, "wrong", "--fault=input"), task(tmp_path, "long", "--steps=600")]
    with (
        pytest.raises(InputError, match="writer: nothing to write") as caught,
        cluster(two.address, Resources(1.0), tmp_path) as executor,
    ):
        executor.run(tasks)
    assert "\n" not in str(caught.value)
    assert len((tmp_path / "wrong" / "pids").read_text().split()) == 1
    assert all_end(pids(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_driver_that_is_stopped_leaves_no_process_behind(two, tmp_path, how):
    driver = started(tmp_path, two.address, 600)
    wait_for_pids(tmp_path, 2)
    driver.send_signal(how)
    _, errors = driver.communicate(timeout=60)
    if how == signal.SIGINT:
        assert driver.returncode == 130
        assert errors.splitlines()[-1].startswith("error: interrupted")
        assert "Traceback" not in errors
    assert all_end(pids(tmp_path), 30)


@pytest.mark.slow
def test_a_node_with_other_versions_is_refused(two, tmp_path, monkeypatch):
    monkeypatch.setattr(on_ray, "versions", lambda: versions() | {"keras": "2.0"})
    with (
        pytest.raises(InputError, match=r"has other versions: keras 3\S+ for 2\.0") as caught,
        cluster(two.address, Resources(1.0), tmp_path) as executor,
    ):
        executor.run(package(tmp_path))
    assert "\n" not in str(caught.value)
    assert not pids(tmp_path)


@pytest.mark.slow
def test_a_node_that_does_not_see_the_folder_is_refused(two, tmp_path, monkeypatch):
    def elsewhere(path, text):
        path.write_text("of another machine\n")

    monkeypatch.setattr(on_ray, "write_text", elsewhere)
    with (
        pytest.raises(InputError, match="cannot read the run's folder"),
        cluster(two.address, Resources(1.0), tmp_path) as executor,
    ):
        executor.run(package(tmp_path))
    assert not pids(tmp_path)


@pytest.mark.slow
def test_a_node_runs_the_code_of_this_machine(two, tmp_path, monkeypatch):
    """Whatever lies in the folder that the command is run in."""
    other = tmp_path / "dcase_system"
    other.mkdir()
    (other / "__init__.py").write_text("raise RuntimeError('other code')")
    monkeypatch.chdir(tmp_path)
    said = (
        "from dcase_system.core.identity import ROOT, identity; print(ROOT, identity()['sources'])"
    )
    with cluster(two.address, Resources(1.0), tmp_path) as executor:
        executor.run([Task("one", ("-c", said), tmp_path / "one")])
    root, sources = (tmp_path / "logs" / "one.txt").read_text().split()
    assert root not in (str(tmp_path), str(ROOT))
    assert sources == identity()["sources"]


@pytest.mark.slow
def test_a_task_whose_command_is_killed_again_and_again_is_given_up(two, tmp_path):
    with (
        pytest.raises(InputError, match=r"hopeless: task was lost 4 times \(signal 9 on "),
        cluster(two.address, Resources(1.0), tmp_path) as executor,
    ):
        executor.run([task(tmp_path, "hopeless", "--fault=lost", "--steps=9")])


@pytest.mark.slow
def test_what_no_node_has_is_refused(two, tmp_path):
    with (
        pytest.raises(InputError, match=r"no node has the resources of a task; .*received 1 and 0"),
        cluster(two.address, Resources(1.0, 8.0), tmp_path) as executor,
    ):
        executor.run(package(tmp_path))


def test_without_ray_it_is_refused_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with (
        pytest.raises(InputError, match=r"Ray is not installed .*requirements-cluster"),
        cluster("auto", Resources(), tmp_path),
    ):
        pass
