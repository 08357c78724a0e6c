"""AudioSet's lists as published, for a copy with missing clips."""

import numpy as np
import pytest

from dcase_system.audio.clips import load_audioset
from dcase_system.core.errors import InputError
from dcase_system.corpora.audioset import read_audioset

CLASSES = """index,mid,display_name
0,/m/09x0r,"Speech"
1,/m/05zppz,"Male speech, man speaking"
2,/m/04rlf,"Music"
"""
HEADER = """# Segments csv created Sun Mar  5 10:54:31 2017
# num_ytids=3, num_segs=3, num_unique_labels=3, num_positive_labels=4
# YTID, start_seconds, end_seconds, positive_labels
"""
VIDEOS = {
    "balanced_train": ["--4gqARaEJE", "Yabcdefghi_", "balanced_03"],
    "eval": ["-_eval_0001", "eval_000002"],
    "unbalanced_train": ["--4gqARaEJE", "eval_000002", *(f"unbalanc{n:03}" for n in range(20))],
}
MISSING = {"balanced_03", "unbalanc007"}


def line(video, labels="/m/09x0r,/m/04rlf"):
    return f'{video}, 30.000, 40.000, "{labels}"\n'


@pytest.fixture
def root(tmp_path):
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "class_labels_indices.csv").write_text(CLASSES)
    names = ("{}.wav", "Y{}.wav", "{}_30.000.flac", "Y{}_30.000_40.000.wav")
    for name, videos in VIDEOS.items():
        (tmp_path / "metadata" / f"{name}_segments.csv").write_text(
            HEADER + "".join(line(video) for video in videos)
        )
        (tmp_path / "audio" / name).mkdir(parents=True)
        for index, video in enumerate(videos):
            if video not in MISSING:
                path = tmp_path / "audio" / name / names[index % len(names)].format(video)
                path.write_bytes(b"")
    (tmp_path / "audio" / "notes.txt").write_text("not audio")
    return tmp_path


def videos_of(listed):
    videos = {video for of_list in VIDEOS.values() for video in of_list}
    return {video for video in videos if any(video in name for name in listed.clips.filenames)}


def test_lists_are_met_as_far_as_files_are_there(root):
    listed = read_audioset(root).balanced()
    assert videos_of(listed) == {"--4gqARaEJE", "Yabcdefghi_"}
    assert listed.missing == ("balanced_03",)
    np.testing.assert_array_equal(listed.clips.labels, [[1, 0, 1]] * 2)
    assert all((root / name).is_file() for name in listed.clips.filenames)


def test_hidden_files_and_folders_are_no_copy_of_a_clip(root):
    before = dict(read_audioset(root).files)
    for folder in (".Trashes", "audio/.cache", "audio"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "._Ybalanced_03.wav").write_bytes(b"")
    (root / ".Trashes" / "Ybalanced_03.wav").write_bytes(b"")
    (root / "audio" / ".cache" / "--4gqARaEJE.aiff").write_bytes(b"")
    (root / ".Trashes" / "class_labels_indices.csv").write_text("an old one")
    assert dict(read_audioset(root).files) == before


def test_clips_of_every_format_are_found(root):
    for number, suffix in enumerate(("mp3", "opus", "AIFF", "w64")):
        (root / "audio" / f"Yformat_{number:04}.{suffix}").write_bytes(b"")
    found = read_audioset(root).files
    assert {f"format_{number:04}" for number in range(4)} <= set(found)


def test_names_with_commas_are_whole(root):
    assert read_audioset(root).names == ("Speech", "Male speech, man speaking", "Music")


@pytest.mark.parametrize("seed", range(3))
def test_the_validation_sample_has_no_video_of_the_other_lists(root, seed):
    corpus = read_audioset(root)
    sample = corpus.validation(8, seed)
    assert len(sample.clips) == len(videos_of(sample)) == 8
    assert videos_of(sample) < set(VIDEOS["unbalanced_train"]) - MISSING
    others = videos_of(corpus.balanced()) | videos_of(corpus.evaluation())
    assert not videos_of(sample) & others
    assert sample.missing == ("unbalanc007",)
    assert videos_of(corpus.validation(8, seed)) == videos_of(sample)
    assert len(corpus.validation(1_000).clips) == 19


def test_blank_lines_at_the_end_of_a_list_are_harmless(root):
    path = root / "metadata" / "balanced_train_segments.csv"
    before = read_audioset(root).segments(path.name)
    path.write_text(path.read_text() + "\n \n")
    assert read_audioset(root).segments(path.name) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("--4gqARaEJE", "/m/09x0r,/m/nothing"), "line 4: label is outside the ontology"),
        (line("--4gqARaEJE", ""), "line 4: label is outside the ontology"),
        (line("short"), "line 4: not a segment"),
        (line("--4gqARaEJE") * 2, "line 5: video is listed twice"),
        (line("--4gqARaEJE") + line("Yabcdefghi_") + line("--4gqARaEJE", "/m/04rlf"), "line 6: vi"),
        ("--4gqARaEJE, 30.000\n", "line 4: not a segment"),
        (line("--4gqARaEJE").replace("30.000", "soon"), "line 4: not a time"),
        ("", "list has no rows"),
    ],
)
def test_damaged_lists_are_refused(root, text, message):
    (root / "metadata" / "balanced_train_segments.csv").write_text(HEADER + text)
    with pytest.raises(InputError, match=message) as caught:
        read_audioset(root).balanced()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shared", "message"),
    [
        (["eval_000002"], "received 1, the first eval_000002"),
        (["eval_000002", "-_eval_0001"], "received 2, the first -_eval_0001"),
        (["no_file_001"], "received 1, the first no_file_001"),  # it may be there tomorrow
    ],
)
def test_videos_in_both_lists_are_refused_before_any_is_decoded(root, tmp_path, shared, message):
    read_audioset(root).check_apart()
    for name in ("balanced_train", "eval"):
        path = root / "metadata" / f"{name}_segments.csv"
        videos = dict.fromkeys([*VIDEOS[name], *shared])
        path.write_text(HEADER + "".join(line(video) for video in videos))
    with pytest.raises(
        InputError, match=rf"eval_segments\.csv: clips are also in balanced.*{message}"
    ):
        load_audioset(read_audioset(root), tmp_path / "stores", validation=2)
    assert not (tmp_path / "stores").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CLASSES.replace("mid", "id"), "wrong columns"),
        (CLASSES.replace("2,/m", "4,/m"), "class is out of order"),
        (CLASSES.replace("/m/04rlf", "/m/09x0r"), "a class is listed twice"),
    ],
)
def test_damaged_class_lists_are_refused(root, text, message):
    (root / "metadata" / "class_labels_indices.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_audioset(root)


def test_what_is_missing_altogether_is_named(root, tmp_path):
    with pytest.raises(InputError, match="data folder does not exist"):
        read_audioset(tmp_path / "gone")
    (root / "metadata" / "eval_segments.csv").write_text(HEADER + line("nowhere0000"))
    with pytest.raises(InputError, match=r"no clip of the eval_segments\.csv exists"):
        read_audioset(root).evaluation()
    (root / "metadata" / "eval_segments.csv").unlink()
    with pytest.raises(InputError, match="list is missing"):
        read_audioset(root).evaluation()
