"""OFA-AEC: Lin et al., "Weight-sharing Supernet for Searching Specialized Acoustic Event
Classification Networks Across Device Constraints".

Numbers are as printed in the paper, even where two disagree: 24.8 of 29.6 mAP is 83.7 % in
one row of Table 1 and 83.8 % in another, and 26.6 over 21.2 mAP is 25.5 % more, not 25.4.
"""

from dcase_system.papers.published import Published

CORPUS = "AudioSet"

TEACHER_PARAMS_MILLIONS, TEACHER_MAP = 5.2, 29.6
# Section 3.1: number of clips in the balanced list, the validation sample and the evaluation list.
TRAIN_CLIPS, VALIDATION_CLIPS, TEST_CLIPS = 22_160, 28_339, 20_371
# Section 3.3: parameter constraints and their tolerance, and candidates of the random search.
CONSTRAINTS_MILLIONS, TOLERANCE_MILLIONS = (0.8, 1.8, 2.8, 3.8), 0.2
CANDIDATES = 25
# Abstract: improvement of the sub-network at 0.8 M over each, in percent of its mAP.
RELATIVE_IMPROVEMENT = {"Baseline": 25.4, "KD": 7.3}
# Network sizes in Tables 1 and 2 for each constraint, in millions. Table 1 has no row for 2.8 M.
FOUND_MILLIONS = {0.8: 0.9, 1.8: 1.8, 2.8: 2.7, 3.8: 3.6}
ALONE_MILLIONS = {0.8: 1.0, 1.8: 2.1, 3.8: 3.5}

_COMMAND = "python -m recipes.audioset_supernet --data_dir=AUDIOSET"
_NEEDS = "a copy of AudioSet: balanced, evaluation and unbalanced lists, and their clips"
_HOURS = (
    "not measured: 3.04 million steps of 64 ten-second clips, 0.8 million of them with four "
    "sub-networks each; about 16,000 hours on two CPU cores by step time, so for GPUs"
)

TABLE1 = Published(
    paper="OFA-AEC",
    name="Table 1",
    title="mAP of networks trained alone and of the sub-networks found, by size",
    corpus=CORPUS,
    columns=("model", "parameters, M", "parameters, %", "mAP", "mAP, %"),
    rows=(
        ("AST", 86.0, None, 34.7, None),
        ("SSAST", 86.0, None, 31.0, None),
        ("CNN10 (B = 32)", 5.2, None, 27.8, None),
        ("CNN10 (B = 64)", 5.2, 100.0, 29.6, 100.0),
        ("Baseline", 1.0, 19.2, 21.2, 71.6),
        ("KD", 1.0, 19.2, 24.8, 83.7),
        ("OFA", 0.9, 17.3, 26.6, 89.9),
        ("Baseline", 2.1, 40.3, 22.6, 76.4),
        ("KD", 2.1, 40.3, 26.4, 89.2),
        ("OFA", 1.8, 34.6, 27.2, 91.9),
        ("Baseline", 3.5, 67.3, 24.8, 83.8),
        ("KD", 3.5, 67.3, 28.3, 95.6),
        ("OFA", 3.6, 69.2, 27.9, 94.3),
    ),
    command=_COMMAND,
    needs=_NEEDS,
    hours=_HOURS,
    results=("results.json#/table1",),
)
TABLE2 = Published(
    paper="OFA-AEC",
    name="Table 2",
    title="mAP of the sub-networks found: inherited weights, fine-tuned, and from random weights",
    corpus=CORPUS,
    columns=("parameters, M", "OFA", "+10K", "+100K", "Init+100K"),
    rows=(
        (0.9, 26.6, 26.7, 26.7, 24.8),
        (1.8, 27.2, 27.6, 27.8, 26.6),
        (2.7, 27.7, 28.2, 28.4, 28.1),
        (3.6, 27.9, 28.3, 28.5, 28.3),
    ),
    command=_COMMAND,
    needs=_NEEDS,
    hours=_HOURS,
    results=("results.json#/table2",),
)
FIGURE1 = Published(
    paper="OFA-AEC",
    name="Figure 1",
    title="Overview of training and search (a drawing)",
    corpus=CORPUS,
    columns=(),
    rows=(),
    command="none: there is nothing to compute",
    needs="nothing",
    hours="none",
    results=(),
)
FIGURE2 = Published(
    paper="OFA-AEC",
    name="Figure 2",
    title="Architecture of the supernet, block by block (a drawing)",
    corpus=CORPUS,
    columns=(),
    rows=(),
    command="python -m dcase_system.complexity cnn10",
    needs="nothing",
    hours="a few seconds on two cores",
    results=(),
)
FIGURE3 = Published(
    paper="OFA-AEC",
    name="Figure 3",
    title="mAP of the best sub-network of each search space, by size",
    corpus=CORPUS,
    columns=("curve", "constraint, M", "parameters, M", "mAP"),
    # Points given as numbers by Table 2 and section 4.1; those of Baseline and KD are in Table 1.
    rows=(
        ("EW+ED=[2,2,X]", 0.8, 0.9, 26.6),
        ("EW+ED=[2,2,X]", 1.8, 1.8, 27.2),
        ("EW+ED=[2,2,X]", 2.8, 2.7, 27.7),
        ("EW+ED=[2,2,X]", 3.8, 3.6, 27.9),
        ("EW-only", 0.8, 1.0, 22.8),
    ),
    command=_COMMAND,
    needs=_NEEDS,
    hours=_HOURS,
    results=("results.json#/figure3",),
)
FIGURE4 = Published(
    paper="OFA-AEC",
    name="Figure 4",
    title="Boxplots of the candidates' mAP by constraint and search space",
    corpus=CORPUS,
    columns=("search space", "constraint, M", "mean mAP", "deviation", "candidates"),
    rows=(),
    command=_COMMAND,
    needs=_NEEDS,
    hours=_HOURS,
    results=("results.json#/figure4",),
)
PUBLISHED = (TABLE1, TABLE2, FIGURE1, FIGURE2, FIGURE3, FIGURE4)
