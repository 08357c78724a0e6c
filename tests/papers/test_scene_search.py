"""Printed values of Wu & Lee, and the constants of the code."""

from collections import Counter

import pytest

from dcase_system.audio.specs import ScalogramSpec
from dcase_system.corpora import task1b
from dcase_system.papers import scene_search as paper
from dcase_system.scene_search.experiment import SearchPlan
from dcase_system.scene_search.scene_space import SceneSpace, SizeWindow, describe
from dcase_system.training.optimizers import Adam


def test_all_tables_and_figures_are_there():
    names = [one.name for one in paper.PUBLISHED]
    assert sorted(names) == [
        *("Figure 1", "Figure 2", "Figure 3", "Figure 4"),
        *("Table 1", "Table 2", "Table 3", "Table 4"),
    ]
    for one in paper.PUBLISHED:
        assert all(len(row) == len(one.columns) for row in one.rows)
        assert one.command.startswith("python -m ")


def test_modules_are_those_of_table_1():
    """Table 1: "List of modules that can be selected to build a model architecture"."""
    assert list(describe(SceneSpace())["modules"].items()) == [
        (str(number), module) for number, module in paper.TABLE_1.rows
    ]


def test_choices_are_those_of_table_2():
    """Table 2: "The search space of CNN architectures"."""
    choices = describe(SceneSpace())["choices"]
    printed = {str(name): str(choice) for name, choice in paper.TABLE_2.rows}

    def numbers(name):
        return [float(one) for one in printed[name].split(",")]

    assert choices["blocks"] == numbers("Number of blocks")
    assert choices["growth"] == numbers("Growth ratio of filter number")
    for letter in "AB":
        assert choices[f"module {letter}"] == numbers(f"Block 1 module {letter} id")
    assert choices["pooling"] == ["avg", "max"]
    # "4 - 128": in fours, as the authors' code draws them.
    assert printed["Stem conv. output filters"] == f"{choices['stem'][0]} - {choices['stem'][-1]}"
    assert choices["stem"] == list(range(4, 129, 4))


def test_the_size_window_is_the_papers():
    """Section 4.4: "model size in the range of 250 KB - 500 KB"."""
    window = SizeWindow()
    assert (window.low, window.high) == (250, 500)
    assert 64_001 in window and 127_999 in window
    assert 64_000 not in window and 128_000 not in window


def test_the_search_is_the_papers_by_default():
    """Section 4.4: "We randomly sampled 510 distinct candidate architectures"."""
    plan = SearchPlan(space=SceneSpace())
    assert plan.num_trials == paper.CANDIDATES == 510
    assert plan.methods == ("random",)
    assert plan.space.variant == "paper"


def test_it_took_the_published_hours():
    """Section 4.4: "about 20 minutes using single GPU and thus in total it takes about 170
    hours"."""
    assert paper.CANDIDATES * paper.MINUTES_A_CANDIDATE / 60 == paper.SEARCH_HOURS == 170


@pytest.mark.parametrize(
    ("model", "size", "accuracy"),
    [
        ("AlexNet (Modified)", 33.8, 95.5),
        ("MobileNet V1", 12.2, 94.8),
        ("MobileNet V2", 8.5, 94.4),
        ("ShuffleNet V2", 4.8, 94.0),
        ("Model A (float-32)", 0.42, 95.6),
        ("Model A (float-16)", 0.21, 95.6),
        ("Model B (float-32)", 0.29, 95.8),
        ("Model B (float-16)", 0.15, 95.8),
    ],
)
def test_table_4_as_printed(model, size, accuracy):
    """Table 4: "Size and accuracy of ASC models"."""
    row = paper.TABLE_4.row(model=model)
    assert (row["size MB"], row["accuracy %"]) == (size, accuracy)


def test_models_a_and_b_are_under_a_tenth_of_shufflenet():
    """Section 4.4: better "than the AlexNet (Modified) with model size less than 1/10 of ShuffleNet
    V2"."""
    shufflenet = paper.TABLE_4.row(model="ShuffleNet V2")
    alexnet = paper.TABLE_4.row(model="AlexNet (Modified)")
    for letter in "AB":
        row = paper.TABLE_4.row(model=f"Model {letter} (float-32)")
        assert row["size MB"] < shufflenet["size MB"] / 10
        assert row["accuracy %"] > alexnet["accuracy %"]


def test_means_by_growth_as_printed():
    """Section 4.4: "growth ratio being 2.0, 1.75, 1.5, 1.25 and 1.0, and the mean accuracy is
    92.5%, 92.9%, 92.9%, 93.2% and 93.3% respectively"."""
    assert dict(paper.FIGURE_4.rows) == {2.0: 92.5, 1.75: 92.9, 1.5: 92.9, 1.25: 93.2, 1.0: 93.3}
    assert (paper.MEAN_SIZE_KB, paper.SIZE_DEVIATION_KB) == (374, 8)
    assert paper.MOST_CANDIDATES_PERCENT == (92, 94)


def test_the_challenge_result_as_printed():
    """Section 4.4: "an accuracy of 94.2% in the evaluation dataset, which ranks 6th out of the 30
    teams"."""
    found = (paper.EVALUATION_ACCURACY_PERCENT, paper.EVALUATION_RANK, paper.TEAMS)
    assert found == (94.2, 6, 30)


def test_the_front_end_is_the_papers():
    """Section 4.2: "2048 FFT points, window length of 25 ms and hop length of 10 ms ... support
    size of 2048, maximum scale of the filters being 1024 and number of wavelets per octave being
    16. The wavelet filter-bank is applied on the logarithm magnitude ... 128 is the number of
    frequency bins ... non-overlapping segments of 128 time frames ... (2, 128, 128)"."""
    spec = ScalogramSpec()
    assert spec.window_length / spec.sample_rate == 0.025
    assert spec.hop_length / spec.sample_rate == 0.010
    assert (spec.fft_length, 2**spec.octaves, spec.per_octave) == (2_048, 1_024, 16)
    assert (spec.log_first, spec.bands, spec.segment_frames) == (True, 128, 128)
    # "(1000, 128)": ours has one frame more, and either way seven whole segments.
    assert spec.frames(480_000) - 1 == 1_000
    assert spec.segments(480_000) == 1_000 // 128 == 7


def test_the_corpus_is_the_papers():
    """Section 4.1: "binaural 48000Hz ... 10-second long"; "25.5 hours" to train on, "11.6 hours" to
    test on; the "ratio of ... indoor, outdoor and transportation data is around 3 : 4 : 3"."""
    assert (task1b.SAMPLE_RATE, task1b.CLIP_SECONDS) == (48_000, 10.0)
    hours = [
        clips * task1b.CLIP_SECONDS / 3_600 for clips in (task1b.TRAIN_CLIPS, task1b.TEST_CLIPS)
    ]
    assert [round(one, 1) for one in hours] == [25.5, 11.6]
    scenes = Counter(task1b.CLASS_OF.values())
    assert [scenes[name] for name in task1b.CLASSES] == [3, 4, 3]


def test_the_optimizer_is_the_papers():
    """Section 4.3: "Adam optimizer (β1 = 0.9 and β2 = 0.999)"."""
    optimizer = Adam(0.001)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.999)
