import filecmp
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcase_system.core.errors import InputError
from dcase_system.corpora import tau
from dcase_system.corpora.corpus import (
    device_groups,
    read_corpus,
    read_evaluation,
    read_evaluation_list,
    read_tsv,
)
from dcase_system.corpora.demo import FULL, TINY, DemoSize, write_demo_corpus
from dcase_system.corpora.demo.plan import plan_development
from tests.corpora.clips import samples

RATE = 44_100


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo_corpus(tmp_path_factory.mktemp("demo") / "corpus", size=TINY)


@pytest.fixture(scope="module")
def corpus(demo):
    return read_corpus(demo.development, tau.SCENES)


def names(path):
    return read_tsv(path, ("filename",)).filename.tolist()


def segment_of(filename):
    scene, city, location, segment, _, _ = filename.removesuffix(".wav").split("-")
    return scene, city, location, segment


def test_every_clip_of_meta_is_there_and_no_other(demo, corpus):
    written = {f"audio/{path.name}" for path in (demo.development / "audio").iterdir()}
    assert written == set(corpus.meta.filename)
    for row in corpus.meta.itertuples():
        scene, city, location, _ = segment_of(row.filename.removeprefix("audio/"))
        assert scene == row.scene_label
        assert f"{city}-{location}" == row.identifier
        assert row.filename.endswith(f"-{row.source_label}.wav")


def test_clips_are_one_second_of_sound_in_the_format_of_tau(demo):
    for path in (demo.development / "audio").iterdir():
        assert path.stat().st_size == 132_344  # as facts/challenge.md 1.1 measured of TAU's
        level = np.sqrt(np.mean(samples(path) ** 2))
        assert 0.001 < level < 0.5


def test_lists_are_nested_and_each_has_every_scene(corpus):
    smaller: set[str] = set()
    for percent in tau.SPLITS:
        clips = corpus.split(percent)
        assert set(clips.labels) == set(range(10))
        assert smaller <= set(clips.filenames)
        smaller = set(clips.filenames)
    assert set(corpus.test().labels) == set(range(10))


def test_devices_and_locations_are_shared_out_as_in_tau(corpus):
    train, test = corpus.split(100), corpus.test()
    assert not set(train.locations) & set(test.locations)
    assert device_groups(train.devices, test.devices) == {
        "real": ("a", "b", "c"),
        "seen": ("s1", "s2", "s3"),
        "unseen": ("s4", "s5", "s6"),
    }


def test_every_take_has_its_parallel_on_device_a(corpus):
    known = set(corpus.meta.filename)
    for filename, device in zip(corpus.meta.filename, corpus.meta.source_label, strict=True):
        assert filename.removesuffix(f"{device}.wav") + "a.wav" in known


def test_evaluation_setup_repeats_the_lists_as_tau_does(demo):
    setup, splits = demo.development / "evaluation_setup", demo.development / "split_setup"
    assert filecmp.cmp(setup / "fold1_train.csv", splits / "split100.csv", shallow=False)
    assert filecmp.cmp(setup / "fold1_evaluate.csv", splits / "test.csv", shallow=False)
    assert names(setup / "fold1_test.csv") == names(splits / "test.csv")
    assert (setup / "fold1_test.csv").read_text().startswith("filename\n")


def test_the_evaluation_set_is_numbered_and_has_no_labels(demo):
    assert read_evaluation_list(demo.evaluation) == tuple(f"audio/{i}.wav" for i in range(10))
    assert {path.name for path in demo.evaluation.iterdir()} == {"audio", "evaluation_setup"}
    for name in read_evaluation_list(demo.evaluation):
        assert len(samples(demo.evaluation / name)) == RATE


def test_the_evaluation_set_names_its_devices_as_in_2025(demo, tmp_path):
    _, devices = read_evaluation(demo.evaluation)
    assert len(devices) == 10 and {"a", "s4"} < set(devices) <= set(tau.DEVICES)
    (tmp_path / "evaluation_setup").mkdir()
    listed = tmp_path / "evaluation_setup" / "fold1_test.csv"
    listed.write_text("filename\tdevice_id\naudio/0.wav\tS10\n")
    assert read_evaluation(tmp_path)[1] == ("s10",)
    listed.write_text("filename\naudio/0.wav\n")  # as until 2024
    assert read_evaluation(tmp_path)[1] == ()
    listed.write_text("filename\tdevice_id\naudio/0.wav\t\n")
    with pytest.raises(InputError, match="line 2: field 'device_id' is empty"):
        read_evaluation(tmp_path)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10**6),
    size=st.builds(
        DemoSize,
        train_locations=st.integers(1, 6),
        test_locations=st.integers(1, 4),
        train_segments=st.integers(1, 6),
        test_segments=st.integers(1, 3),
        pieces=st.integers(1, 10),
        evaluation_clips=st.integers(1, 9),
    ),
)
def test_any_plan_keeps_the_rules(seed, size):
    segments = plan_development(size, seed)
    assert len({segment.number for segment in segments}) == len(segments)
    train = [segment for segment in segments if segment.splits]
    test = [segment for segment in segments if not segment.splits]
    assert not {s.identifier for s in train} & {s.identifier for s in test}
    assert not {d for s in train for d in s.devices} & {"s4", "s5", "s6"}
    for segment in segments:
        assert segment.devices[0] == "a"
        assert set(segment.listed) <= set(segment.devices)
        # Nested: a segment that is in one split is in all larger ones.
        assert segment.splits == tau.SPLITS[len(tau.SPLITS) - len(segment.splits) :]
    for percent in tau.SPLITS:
        assert {s.scene for s in train if percent in s.splits} == set(tau.SCENES)


def test_the_full_plan_has_the_proportions_of_tau():
    segments = plan_development(FULL, seed=0)
    clips = {
        percent: sum(FULL.pieces * len(s.listed) for s in segments if percent in s.splits)
        for percent in tau.SPLITS
    }
    assert clips == {5: 60, 10: 120, 25: 300, 50: 600, 100: 1200}
    test = [device for s in segments if not s.splits for device in s.listed * FULL.pieces]
    assert len(test) == 480
    assert all(52 <= test.count(device) <= 54 for device in tau.DEVICES)
    smallest = [device for s in segments if 5 in s.splits for device in s.listed]
    assert set(smallest) == {"a", "b", "c", "s1", "s2", "s3"}


def contents(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(demo, tmp_path):
    again = write_demo_corpus(tmp_path / "again", size=TINY)
    assert contents(again.development.parent) == contents(demo.development.parent)


def test_another_seed_gives_another_corpus(demo, tmp_path):
    other = write_demo_corpus(tmp_path / "other", size=TINY, seed=1)
    sounds_before, sounds_after = (
        contents(demo.evaluation / "audio"),
        contents(other.evaluation / "audio"),
    )
    assert sounds_before.keys() == sounds_after.keys()
    assert all(sounds_before[name] != sounds_after[name] for name in sounds_before)


def test_a_finished_corpus_is_kept_and_another_is_replaced(tmp_path):
    small = replace(TINY, train_locations=1, train_segments=1, evaluation_clips=1)
    counts: list[tuple[int, int]] = []
    directory = tmp_path / "demo"

    def write(**settings):
        counts.clear()
        return write_demo_corpus(
            directory, progress=lambda *count: counts.append(count), **settings
        )

    write(size=small)
    total = len(list(directory.rglob("*.wav")))
    assert counts == [(done, total) for done in range(1, total + 1)]
    write(size=small)
    assert counts == []
    corpus = write(size=replace(small, evaluation_clips=2))
    assert len(counts) == total + 1
    assert len(read_evaluation_list(corpus.evaluation)) == 2


def test_an_interrupted_corpus_leaves_nothing(tmp_path):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo_corpus(tmp_path / "demo", size=TINY, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("marker", [None, "not json"])
def test_a_folder_with_other_things_is_never_replaced(tmp_path, marker):
    (tmp_path / "thesis.txt").write_text("three years")
    if marker:
        (tmp_path / "demo_corpus.json").write_text(marker)
    with pytest.raises(InputError, match="not empty and not a demo corpus"):
        write_demo_corpus(tmp_path, size=TINY)
    with pytest.raises(InputError, match="not empty and not a demo corpus"):
        write_demo_corpus(tmp_path / "thesis.txt", size=TINY)
    assert (tmp_path / "thesis.txt").read_text() == "three years"


def test_the_marker_tells_how_the_corpus_was_made(demo):
    marker = json.loads((demo.development.parent / "demo_corpus.json").read_text())
    assert marker["seed"] == 0
    assert marker["pieces"] == TINY.pieces


def test_sizes_and_seeds_out_of_range_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"pieces out of range.*expected 1 to 10; received 11"):
        DemoSize(pieces=11)
    with pytest.raises(InputError, match=r"evaluation_clips out of range.*received 0"):
        DemoSize(evaluation_clips=0)
    with pytest.raises(InputError, match="seed is negative"):
        write_demo_corpus(tmp_path / "demo", seed=-1)
