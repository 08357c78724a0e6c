"""Fixtures and the markers' conditions."""

import importlib.util
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items):
    no_shared = pytest.mark.skip(
        reason=f"real clips are not at {SHARED.name}/ beside the repository"
    )
    no_torch = pytest.mark.skip(reason="PyTorch is not installed (requirements-parity.txt)")
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if "shared" in item.keywords and not (SHARED / "data" / "scenes10").is_dir():
            item.add_marker(no_shared)
        if "torch" in item.keywords and not has_torch:
            item.add_marker(no_torch)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips and impulse responses."""
    return SHARED / "data"
