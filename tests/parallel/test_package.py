"""A package on two nodes, one of which is lost, has the bytes of a run in sequence."""

import subprocess
import time

import pytest

from tests.commands import ROOT, command, on_tiny, run
from tests.parallel.test_on_ray import nodes
from tests.robustness.runs import results

_PACKAGE = ["--systems=S1", "--splits=5,100", "--members=cp_mobile,cp_mobile", "--epochs=3"]


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_package_on_a_cluster_that_loses_a_node_is_that_of_one_machine(place, tmp_path):
    arguments = [*on_tiny(place), *_PACKAGE, "--teacher_epochs=4"]
    alone = run("recipes.challenge_package", *arguments, f"--output_dir={tmp_path / 'local'}")
    assert alone.returncode == 0, alone.stderr
    expected = results(tmp_path / "local")
    assert any(name.endswith("task1.zip") for name in expected)
    shared = tmp_path / "ray"
    with nodes() as both:
        given = [f"--output_dir={shared}", "--executor=ray", f"--ray_address={both.address}"]
        begun = time.monotonic()
        driver = subprocess.Popen(
            command("recipes.challenge_package", *arguments, *given),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while driver.poll() is None and len(list(shared.rglob("checkpoints/*.safetensors"))) < 2:
            time.sleep(0.02)
        both.remove_node(both.list_all_nodes()[-1], allow_graceful=False)
        output, errors = driver.communicate()
    assert driver.returncode == 0, errors
    print(f"{len(expected)} files, {time.monotonic() - begun:.0f} s\n{errors}")
    assert "was lost" in errors and "running it again" in errors
    assert results(shared) == expected
    assert "validated package" in output
