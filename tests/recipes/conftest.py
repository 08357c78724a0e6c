import pytest

from dcase_system.corpora.demo import TINY, write_demo_corpus


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tiny corpus and the folders that the recipes share."""
    folder = tmp_path_factory.mktemp("recipes")
    write_demo_corpus(folder / "demo", size=TINY)
    return folder
