"""The stereo demo corpus and the 2020 3Class layout: lists, classes, two ears."""

import wave
from dataclasses import replace

import numpy as np
import pytest

from dcase_system.audio.store import ingest
from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import read_evaluation_list
from dcase_system.corpora.demo import STEREO_TINY, TINY, write_demo_corpus, write_stereo_demo_corpus
from dcase_system.corpora.task1b import CLASS_OF, CLASSES, TEST_LIST, TRAIN_LIST, read_task1b


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_stereo_demo_corpus(tmp_path_factory.mktemp("demo") / "stereo", size=STEREO_TINY)


def test_ten_scenes_make_three_classes():
    assert set(CLASS_OF) == set(tau.SCENES)
    assert [list(CLASS_OF.values()).count(name) for name in CLASSES] == [3, 4, 3]


def test_lists_and_classes(demo):
    corpus = read_task1b(demo.development)
    train, test = corpus.listed(TRAIN_LIST), corpus.listed(TEST_LIST)
    assert corpus.scenes == CLASSES
    assert (len(train), len(test)) == (20, 10)
    assert not set(train.locations) & set(test.locations)
    assert np.bincount(train.labels).tolist() == [6, 8, 6]
    assert read_evaluation_list(demo.evaluation) == tuple(f"audio/{i}.wav" for i in range(4))


def test_clips_are_binaural_24_bit_at_48_khz(demo):
    name = read_task1b(demo.development).listed(TRAIN_LIST).filenames[0]
    with wave.open(str(demo.development / name)) as clip:
        assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (2, 3, 48_000)
        assert clip.getnframes() == round(1.3 * 48_000)


def test_both_ears_hear_the_place_and_something_of_their_own(demo, tmp_path):
    names = read_task1b(demo.development).listed(TRAIN_LIST).filenames
    clips = ingest(
        tmp_path, demo.development, names, sample_rate=48_000, clip_seconds=1.3, channels=2
    )
    assert clips.shape == (62_400, 2)
    alike = [np.corrcoef(ears.T)[0, 1] for ears in clips.gather(np.arange(len(names)))]
    assert 0.2 < min(alike) < max(alike) < 0.99


def test_it_stands_as_it_is_and_is_made_again_for_another_size(demo):
    folder = demo.development.parent
    before = (demo.development / "meta.csv").stat().st_mtime_ns
    write_stereo_demo_corpus(folder, size=STEREO_TINY)
    assert (demo.development / "meta.csv").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="clips out of range"):
        replace(STEREO_TINY, clips=0)


def test_a_class_that_is_not_the_scenes_is_refused(demo, tmp_path):
    text = (demo.development / "meta.csv").read_text().replace("\tindoor\t", "\toutdoor\t", 1)
    (tmp_path / "meta.csv").write_text(text)
    with pytest.raises(
        InputError, match=r"line 2: class of .* contradicts its scene; expected indoor"
    ):
        read_task1b(tmp_path)


def test_mono_clips_are_refused_unless_they_are_copied(tmp_path):
    mono = write_demo_corpus(tmp_path / "mono", size=TINY).evaluation
    names = read_evaluation_list(mono)
    with pytest.raises(InputError, match=r"another number of channels; expected 2 channels"):
        ingest(tmp_path / "a", mono, names, sample_rate=48_000, channels=2)
    clips = ingest(tmp_path / "b", mono, names, sample_rate=48_000, channels=2, copy_mono=True)
    left, right = np.moveaxis(clips.gather(np.arange(len(clips))), -1, 0)
    assert left.std() > 0
    np.testing.assert_array_equal(left, right)


def test_stereo_clips_are_no_mono_store(demo, tmp_path):
    names = read_evaluation_list(demo.evaluation)
    with pytest.raises(InputError, match="clip is not mono"):
        ingest(tmp_path, demo.evaluation, names, sample_rate=48_000, clip_seconds=1.3)
