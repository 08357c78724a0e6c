"""Fixtures and the markers' conditions."""

import gc
import importlib.util
import json
import os
import shutil
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from dcase_system.audio.clips import load_data
from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import (
    STEREO_TINY,
    TINY,
    write_demo_corpus,
    write_stereo_demo_corpus,
)
from tests import toys
from tests.commands import leave_graphs_as_they_are
from tests.search.postgres import binaries

SHARED = Path(__file__).resolve().parents[2] / "shared"

gc.freeze()  # what is imported stays: the garbage collector need not visit it
# No test cuts the power, and a thousand small files wait for the disk one after another.
os.fsync = lambda fd: None
# Hiding the frames of Keras and TensorFlow wraps every call of a layer or an operation.
keras.config.disable_traceback_filtering()
tf.debugging.disable_traceback_filtering()
leave_graphs_as_they_are()


SECONDS = json.loads(Path(__file__).with_name("seconds.json").read_text())
"""What the tests of a scope take on two cores, where that is over five seconds."""


SHARING = "tests/edge", "tests/challenge"
"""Rooms whose tests look at one exported network, or at one finished run."""


def scope_of(nodeid: str) -> str:
    """What one worker runs: a file of tests, or all of a room whose tests share one fixture."""
    file = nodeid.partition("::")[0]
    return next((room for room in SHARING if file.startswith(f"{room}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return scope_of(nodeid)

    return Scheduling(config, log)


def pytest_collection_modifyitems(items):
    # Longest first, so that no worker is left with a long file at the end.
    items.sort(key=lambda item: -SECONDS.get(scope_of(item.nodeid), 0))
    no_shared = pytest.mark.skip(
        reason=f"real clips are not at {SHARED.name}/ beside the repository"
    )
    no_torch = pytest.mark.skip(reason="PyTorch is not installed (requirements-parity.txt)")
    no_browser = pytest.mark.skip(
        reason="Debian's chromium and chromium-driver, or Selenium, are not installed"
    )
    no_postgres = pytest.mark.skip(
        reason="PostgreSQL's programs or psycopg (requirements-cluster.txt) are not installed"
    )
    no_ray = pytest.mark.skip(reason="Ray is not installed (requirements-cluster.txt)")
    has_postgres = binaries() is not None and importlib.util.find_spec("psycopg") is not None
    has_ray = importlib.util.find_spec("ray") is not None
    has_browser = (
        shutil.which("chromium") is not None
        and shutil.which("chromedriver") is not None
        and importlib.util.find_spec("selenium") is not None
    )
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if "shared" in item.keywords and not (SHARED / "data" / "scenes10").is_dir():
            item.add_marker(no_shared)
        if "torch" in item.keywords and not has_torch:
            item.add_marker(no_torch)
        if "cluster" in item.keywords:
            on_ray = "parallel" in item.nodeid
            if not (has_ray if on_ray else has_postgres):
                item.add_marker(no_ray if on_ray else no_postgres)
        if "browser" in item.keywords and not has_browser:
            item.add_marker(no_browser)


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory) -> Path:
    """Where screenshots go."""
    named = os.environ.get("DCASE_TEST_ARTEFACTS")
    path = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips and impulse responses."""
    return SHARED / "data"


@pytest.fixture(scope="module")
def toy():
    """The toy student, by its name."""
    with toys.registered():
        yield


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A tiny corpus; a test that changes it copies it first."""
    return write_demo_corpus(tmp_path_factory.mktemp("demo") / "demo", size=TINY)


@pytest.fixture(scope="session")
def data_and_evaluation(demo, tmp_path_factory):
    """The clips of the tiny corpus, those of its evaluation set too."""
    stores = tmp_path_factory.mktemp("stores")
    return load_data(read_corpus(demo.development), 100, demo.evaluation, stores)


@pytest.fixture(scope="session")
def data(demo, tmp_path_factory):
    """The labelled clips of the tiny corpus."""
    return load_data(read_corpus(demo.development), 100, None, tmp_path_factory.mktemp("stores"))


@pytest.fixture(scope="session")
def stereo_demo(tmp_path_factory):
    """A tiny corpus in stereo; a test that changes it copies it first."""
    return write_stereo_demo_corpus(tmp_path_factory.mktemp("demo") / "stereo", size=STEREO_TINY)


@pytest.fixture(scope="module")
def place(demo, tmp_path_factory):
    """A copy of the tiny corpus and the folders that the recipes share."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copytree(demo.development.parent, folder / "demo")
    return folder


@pytest.fixture(scope="module")
def stereo(stereo_demo, tmp_path_factory):
    """Flags for the tiny stereo corpus."""
    return [
        f"--data_dir={stereo_demo.development}",
        f"--evaluation_dir={stereo_demo.evaluation}",
        f"--cache_dir={tmp_path_factory.mktemp('stereo') / 'cache'}",
    ]
