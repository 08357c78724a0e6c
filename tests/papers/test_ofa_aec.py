"""OFA-AEC, sentence by sentence: each test quotes what it pins."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dcase_system.audio.panns_mel import PannsMel
from dcase_system.audio.specs import PannsMelSpec
from dcase_system.corpora.audioset import PAPER_VALIDATION_CLIPS
from dcase_system.distillation.losses import MultiLabelDistillationLoss, pack_targets
from dcase_system.models.cnn10 import CNN10Spec, build_cnn10, sliced_width
from dcase_system.papers import ofa_aec
from dcase_system.supernet.alone import uniform_network
from dcase_system.supernet.constraints import constraints_of
from dcase_system.supernet.costs import costs_of
from dcase_system.supernet.plan import ExperimentPlan
from dcase_system.supernet.search_space import DEPTH_PATTERNS, SearchSpace, paper_space, space_name
from tests.conftest import SHARED

PLAN = ExperimentPlan(corpus="AudioSet")
WINDOWS = constraints_of(CNN10Spec())


def within(space, window):
    costs = [space.cost(ratios) for ratios in space.all()]
    return [cost for cost in costs if window.low <= cost <= window.high]


def in_millions(params):
    return round(params / 1e6, 1)


@pytest.mark.shared
def test_every_quotation_is_in_the_paper():
    paper = (SHARED / "papers" / "ofa_aec.md").read_text()
    text = " ".join(paper.replace("*", "").split())
    tree = ast.parse(Path(__file__).read_text())
    said = [ast.get_docstring(one) for one in tree.body if isinstance(one, ast.FunctionDef)]
    quotations = [
        " ".join(quotation.split())
        for docstring in said
        for quotation in re.findall("“([^”]+)”", docstring or "")
    ]
    assert len(quotations) > 30
    for quotation in quotations:
        assert quotation in text, quotation


def test_relative_improvements_are_those_of_table_1():
    """Abstract: “significantly outperforms both models trained individually from scratch and
    knowledge distillation (25.4% and 7.3% relative improvement)”; 26.6 over 21.2 is 25.47.
    """
    table = ofa_aec.TABLE1
    found = table.row(**{"model": "OFA", "parameters, M": 0.9})["mAP"]
    for model, improvement in ofa_aec.RELATIVE_IMPROVEMENT.items():
        other = table.row(**{"model": model, "parameters, M": 1.0})["mAP"]
        assert 100 * (found / other - 1) == pytest.approx(improvement, abs=0.1)


def test_shares_of_table_1_are_those_of_the_teacher():
    """Table 1: “"%" means the relative ratio compared to the teacher model”."""
    for _, params, share, score, score_share in ofa_aec.TABLE1.rows[3:]:
        assert 100 * params / ofa_aec.TEACHER_PARAMS_MILLIONS == pytest.approx(share, abs=0.1)
        assert 100 * score / ofa_aec.TEACHER_MAP == pytest.approx(score_share, abs=0.1)


def test_what_section_3_4_says_of_the_middle_row():
    """3.4: “surpassing the baseline by 4.6 mAP and the KD method by 0.8 mAP”"""
    (baseline, kd, ofa) = (row[3] for row in ofa_aec.TABLE1.rows[7:10])
    assert (ofa - baseline, ofa - kd) == (pytest.approx(4.6), pytest.approx(0.8))


def test_the_networks_of_table_2_and_figure_3_are_those_of_table_1():
    """Table 2: “The OFA method here is EW+ED=[2,2,X]”; 4.1: “(e.g., 26.6 mAP with 0.9M #Params)”,
    “it performs poorly at the scale of 1M #Params (22.8 mAP)”.
    """
    of_table1 = {row[1]: row[3] for row in ofa_aec.TABLE1.rows if row[0] == "OFA"}
    of_table2 = {row[0]: row[1] for row in ofa_aec.TABLE2.rows}
    assert of_table1.items() < of_table2.items()
    points = {row[2]: row[3] for row in ofa_aec.FIGURE3.rows if row[0] == "EW+ED=[2,2,X]"}
    assert points == of_table2 and points[0.9] == 26.6
    assert ofa_aec.FIGURE3.row(curve="EW-only")["mAP"] == 22.8
    assert list(of_table2) == list(ofa_aec.FOUND_MILLIONS.values())


def test_what_section_4_3_says_of_tuning():
    """4.3: “the models at 0.9M #Params (we only observed 0.1 mAP improvement after fine-tuning)”,
    “continual training does improve the sub-networks at 3.6M #Params by 0.6 mAP, and finally
    outperform the KD counterpart”.
    """
    small, *_, large = ofa_aec.TABLE2.rows
    assert max(small[2:4]) - small[1] == pytest.approx(0.1)
    assert large[3] - large[1] == pytest.approx(0.6)
    assert large[1] < large[4] == 28.3 < large[3]


def test_every_table_and_figure_is_listed():
    names = [one.name for one in ofa_aec.PUBLISHED]
    assert names == ["Table 1", "Table 2", *(f"Figure {number}" for number in (1, 2, 3, 4))]
    for one in ofa_aec.PUBLISHED:
        assert one.corpus == "AudioSet" and one.command and one.needs and one.hours
        assert all(len(row) == len(one.columns) for row in one.rows)


def test_blocks_are_cnn10s():
    """2.2: “Each convolutional block contains 2 CNN layers”, “All CNN layers use 3×3 kernel size”;
    Figure 2: “64×1000 Mel spectrogram”; Table 1: 5.2 M.
    """
    spec = CNN10Spec()
    layers = build_cnn10(spec).layers
    kernels = [layer.kernel_size for layer in layers if hasattr(layer, "kernel_size")]
    assert kernels == [(3, 3)] * 8 and [len(block) for block in spec.blocks] == [2] * 4
    assert in_millions(costs_of(spec).params) == ofa_aec.TEACHER_PARAMS_MILLIONS
    pools = [layer.pool_size for layer in layers if hasattr(layer, "pool_size")]
    assert pools == [(2, 2)] * 4  # behind the last block too, as in PANNs
    assert spec.input_shape == (64, 1_001)  # a frame more; the first pooling drops it


def test_a_layer_keeps_its_first_channels():
    r"""2.2: “Given a width ratio r and the full width size D, the layer uses the first
    $\lfloor r \times D \rfloor$ channels. We experiment with four ratios, say
    $\{0.4, 0.6, 0.8, 1.0\}$.”
    """
    assert paper_space().ratios == (0.4, 0.6, 0.8, 1.0)
    assert [sliced_width(128, ratio) for ratio in (0.4, 0.6, 0.8)] == [51, 76, 102]


def test_a_block_has_one_or_two_layers():
    """2.2: “As one block has two layers, the dynamic depth for each block is either 1 or 2.”"""
    assert paper_space("X,X,X").depths == ((1, 2),) * 3


def test_a_block_has_one_width():
    """2.2: “The once-for-all supernet supports two searching dimensions for each block”."""
    assert PLAN.width_per == SearchSpace().width_per == paper_space().width_per == "block"
    assert paper_space("X,X,X").size == (4 * 2) ** 3


def test_the_tables_are_made_with_depth_in_the_last_block():
    """2.2: “we observed that only applying ED in the last convolutional block is preferred”."""
    assert PLAN.patterns[0] == "2,2,X"


def test_the_four_spaces_of_figure_3():
    """4.1: “using ED for all the dynamic blocks (Figure 3 "OFA EW+ED=[X,X,X]" curve)”, “We also
    investigate only applying elastic width, denoted as EWonly. In addition to the four width
    ratios, we add the minimal width ratio of 0.2 to enable the EW-only supernet containing small
    models around 1M #Params.”
    """
    assert PLAN.patterns == DEPTH_PATTERNS == ("2,2,X", "2,X,X", "X,X,X", "none")
    assert space_name("X,X,X") == "EW+ED=[X,X,X]" and space_name("none") == "EW-only"
    alone = paper_space("none")
    assert alone.ratios == (0.2, 0.4, 0.6, 0.8, 1.0) and within(alone, WINDOWS[0])
    without = SearchSpace(depth_pattern="none", ratios=alone.ratios[1:])
    assert not within(without, WINDOWS[0])


def test_sampled_networks_learn_from_the_teacher_alone():
    """2.3: “encourage the prediction of each sub-network to have high fidelity with respect to the
    teacher model f_t via binary cross entropy loss”, whose sign equation 2 leaves out.
    """
    teacher, student = np.array([[1.0, -2.0]]), np.array([[0.5, 0.25]])
    loss = MultiLabelDistillationLoss()(pack_targets(np.zeros((1, 2)), teacher), student)
    t, s = tf.sigmoid(teacher).numpy(), tf.sigmoid(student).numpy()
    by_hand = -(t * np.log(s) + (1 - t) * np.log(1 - s)).mean()
    assert float(loss) == pytest.approx(by_hand, rel=1e-6)


def test_a_step_samples_uniformly():
    """2.3: “uniformly sample a few sub-networks”, of the M there are: 128. That each is drawn as
    often as another is tested with the space, and that a step draws as the space does with the
    sampler.
    """
    assert PLAN.supernet.sampling == "uniform"
    assert paper_space().size == 128


def test_the_search_is_random_with_p_candidates():
    """2.4: “During inference, we adopt the random search”; 3.3: “The population size p for random
    search is 25.”
    """
    assert PLAN.methods == ("random",)
    assert PLAN.num_trials == ofa_aec.CANDIDATES == 25


def test_the_clips():
    """3.1: “with 22160 and 20371 10-second samples, respectively”, “randomly sampled from the
    unbalanced set with 28339 10-second samples without overlapping with the training set”; that
    there is none is tested with AudioSet's lists.
    """
    assert (ofa_aec.TRAIN_CLIPS, ofa_aec.TEST_CLIPS) == (22_160, 20_371)
    assert ofa_aec.VALIDATION_CLIPS == PAPER_VALIDATION_CLIPS == 28_339


def test_the_features():
    r"""3.1: “The audio is pre-processed at 32K sampling rate. We use log-mel spectrogram, 1000
    frames \times 64 mel bins, as our input feature.”
    """
    spec = PannsMelSpec()
    assert PLAN.front_end == spec
    assert (spec.sample_rate, spec.n_mels) == (32_000, 64)
    assert spec.frames(10 * spec.sample_rate) == 1_001  # PANNs centres its frames
    assert PannsMel(spec)(np.zeros((1, 3_200), np.float32)).shape == (1, 64, 11, 1)


def test_the_teacher():
    """3.2: “we train the teacher model using data augmentation techniques (e.g., mixup [25] and
    specaugment [26]) up to 400K iterations using batch size of 64”, “achieves 29.6 mAP”.
    """
    teacher = PLAN.teacher
    assert (teacher.steps, teacher.batch_size, teacher.mixup) == (400_000, 64, True)
    assert teacher.masks == 2
    assert ofa_aec.TABLE1.row(model="CNN10 (B = 64)")["mAP"] == ofa_aec.TEACHER_MAP == 29.6


def test_students_are_masked_but_not_mixed():
    """3.2: “Training each model from scratch using BCE loss and specaugment”, “Training each model
    with knowledge distillation and specaugment”; Figure 1: “only students' input spectrograms are
    distorted (we use SpecAugment)”.
    """
    for plan in (PLAN.alone, PLAN.supernet):
        assert (plan.mixup, plan.masks) == (False, 2)


def test_networks_to_compare_with_have_one_ratio_and_one_depth():
    """3.2: “we set each model with a fixed width ratio and depth across all the dynamic blocks.”,
    “these individually-trained models are also supported architecture configurations in our search
    space”; Table 1: 1.0, 2.1 and 3.5 M.
    """
    networks = {one.published: uniform_network(paper_space(), one.params) for one in WINDOWS}
    for constraint, millions in ofa_aec.ALONE_MILLIONS.items():
        assert in_millions(networks[constraint].params) == millions
    everything = paper_space("X,X,X")
    specs = {everything.spec(ratios) for ratios in everything.all()}
    assert {one.spec for one in networks.values()} <= specs


def test_batch_rate_and_masks():
    """3.3: “We use the batch size of 64, and Adam optimizer with a 0.001 learning rate for all the
    experiments. Our specaugment [26] consists of two time and frequency masks on the spectrogram
    (T = 64, F = 8).”
    """
    for plan in (PLAN.teacher, PLAN.supernet, PLAN.alone):
        assert (plan.batch_size, plan.learning_rate, plan.schedule) == (64, 1e-3, "constant")
        assert (plan.masks, plan.mask_frames, plan.mask_mels) == (2, 64, 8)


def test_the_supernet_takes_100k_steps_of_the_largest_and_200k_of_four():
    """3.3: “we first only train the largest sub-network for 100K iterations, then train the sampled
    sub-networks for 200K iterations. The number of sampled sub-networks K is 4.”
    """
    plan = PLAN.supernet
    assert (plan.largest_steps, plan.steps - plan.largest_steps) == (100_000, 200_000)
    assert plan.samples == 4


def test_the_baselines_take_100k_steps():
    """3.3: “For the baseline methods, we train each model with 100K iterations.”; 289 passes over
    the balanced list, more of a copy that has fewer of its clips.
    """
    assert PLAN.alone.steps == 100_000
    assert PLAN.alone.fit_plan(ofa_aec.TRAIN_CLIPS).epochs == 289
    assert PLAN.alone.fit_plan(15_000).epochs == 426


def test_the_range_of_sizes():
    """3.3: “As the number of sub-network parameters ranges from 0.6M to 5.2M”, the smallest being
    that of EW-only.
    """
    spaces = [paper_space(pattern) for pattern in DEPTH_PATTERNS]
    assert in_millions(min(space.cost(space.smallest) for space in spaces)) == 0.6
    assert in_millions(max(space.cost(space.largest) for space in spaces)) == 5.2


def test_the_four_constraints():
    r"""3.3: “we choose four computational constraints $\{0.8M, 1.8M, 2.8M, 3.8M\}$ with
    $\epsilon = 0.2M$ tolerance for the random search.”; a [2,2,X] network of each size of Table 2
    is within its own.
    """
    assert PLAN.budgets is None and PLAN.tolerance is None
    assert tuple(one.published for one in WINDOWS) == ofa_aec.CONSTRAINTS_MILLIONS
    windows = [(one.low, one.high) for one in WINDOWS]
    assert windows == [(6e5, 1e6), (1.6e6, 2e6), (2.6e6, 3e6), (3.6e6, 4e6)]
    for one in WINDOWS:
        sizes = {in_millions(cost) for cost in within(paper_space(), one)}
        assert ofa_aec.FOUND_MILLIONS[one.published] in sizes


def test_tuning():
    """4.3: “we continually fine-tune (with knowledge distillation) the searched subnetworks for 10K
    and 100K iterations”, “we also train the same architectures of the searched sub-networks from
    scratch using knowledge distillation”.
    """
    assert PLAN.tuning_steps == (10_000, 100_000)
