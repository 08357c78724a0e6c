import pytest

from dcase_system.corpora.corpus import read_corpus
from dcase_system.corpora.demo import TINY, write_demo_corpus
from dcase_system.data import load_data


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The clips of a tiny corpus."""
    demo = write_demo_corpus(tmp_path_factory.mktemp("demo"), size=TINY)
    return load_data(read_corpus(demo.development), 100, None, tmp_path_factory.mktemp("stores"))
