import pytest

from dcase_system.corpora.demo import STEREO_TINY
from dcase_system.corpora.lists import read_lists
from dcase_system.corpora.task1b import TEST_LIST, TRAIN_LIST, read_task1b
from dcase_system.scene_search.clips import load_scenes
from tests.scene_search.toys import FRONT_END


@pytest.fixture(scope="session")
def data(stereo_demo, tmp_path_factory):
    """The clips of the tiny stereo corpus and their features."""
    corpus = read_task1b(stereo_demo.development)
    lists = read_lists(corpus, stereo_demo.evaluation, train=TRAIN_LIST, test=TEST_LIST)
    stores = tmp_path_factory.mktemp("scenes")
    return load_scenes(lists, stores, FRONT_END, name="toy", seconds=STEREO_TINY.seconds)
