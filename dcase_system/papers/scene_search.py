"""Wu & Lee, "Searching for Efficient Network Architectures for Acoustic Scene Classification".

DCASE 2020 Workshop; the system that ranked sixth in Task 1B of DCASE 2020.
"""

from dcase_system.papers.published import Published

CORPUS = "TAU Urban Acoustic Scenes 2020 3Class, development dataset"
_SEARCH = "python -m recipes.scene_search --as_published --data_dir=DEVELOPMENT"
_NETWORKS = "python -m recipes.scene_networks --data_dir=DEVELOPMENT"
_SPACE = "python -m dcase_system.scene_search.space"
_AT_ONCE, _NOTHING = "seconds; any machine", "nothing"
_CLIPS = f"{CORPUS} (Zenodo 3670185)"

SEARCH_HOURS = 170
"""In total "it takes about 170 hours to evaluate 510 candidate architectures" (4.4)."""

MINUTES_A_CANDIDATE = 20
"""Training and testing a candidate "take about 20 minutes using single GPU" (4.4)."""

CANDIDATES = 510
""""We randomly sampled 510 distinct candidate architectures" (4.4)."""

MEAN_SIZE_KB, SIZE_DEVIATION_KB = 374, 8
"""Mean sizes of the growths "are similar, which are around 374 ± 8 KB" (4.4)."""

MOST_CANDIDATES_PERCENT = (92, 94)
""""The accuracies of most candidate models are in the range of 92% - 94%" (4.4)."""

EVALUATION_ACCURACY_PERCENT, EVALUATION_RANK, TEAMS = 94.2, 6, 30
"""A single model B on the evaluation dataset of Task 1B, and its place among the teams (4.4)."""

TABLE_1 = Published(
    paper="Scene search",
    name="Table 1",
    title="Modules that a network can be built of",
    corpus="none",
    columns=("id", "module"),
    rows=(
        (0, "Identity Mapping"),
        (1, "3 × 3 DSC module"),
        (2, "5 × 5 DSC module"),
        (3, "3 × 3 Inverted Residual module"),
        (4, "5 × 5 Inverted Residual module"),
    ),
    command=_SPACE,
    needs=_NOTHING,
    hours=_AT_ONCE,
    results=(),
)

TABLE_2 = Published(
    paper="Scene search",
    name="Table 2",
    title="The search space",
    corpus="none",
    columns=("configuration", "choices"),
    rows=(
        ("Number of blocks", "2,3,4"),
        ("Stem conv. output filters", "4 - 128"),
        ("Growth ratio of filter number", "1.0,1.25,1.50,1.75,2.0"),
        ("Block 1 module A id", "0,1,2,3,4"),
        ("Block 1 module B id", "1,2,3,4"),
        ("Block 1 pooling layer", "Avg. Pool, Max Pool"),
        ("Block 2 module A id", "0,1,2,3,4"),
        ("Block 2 module B id", "1,2,3,4"),
        ("Block 2 pooling layer", "Avg. Pool, Max Pool"),
    ),
    command=_SPACE,
    needs=_NOTHING,
    hours=_AT_ONCE,
    results=(),
)

TABLE_3 = Published(
    paper="Scene search",
    name="Table 3",
    title="Architectures of model A (highest accuracy) and model B (lowest loss)",
    corpus=CORPUS,
    columns=("layer", "Model A", "Model B"),
    rows=(
        (1, "3 × 3 Stem Conv. (76)", "3 × 3 Stem Conv. (64)"),
        (2, "3 × 3 IRwLB (76)", "3 × 3 IRwLB (64)"),
        (3, "3 × 3 DSC (133)", "2 × 2 AvgPool"),
        (4, "2 × 2 AvgPool", "3 × 3 DSC (64)"),
        (5, "5 × 5 DSC (133)", "2 × 2 AvgPool"),
        (6, "5 × 5 DSC (232)", "5 × 5 DSC (64)"),
        (7, "2 × 2 MaxPool", "3 × 3 DSC (64)"),
        (8, None, "2 × 2 AvgPool"),
        (9, None, "3 × 3 IRwLB (64)"),
        (10, None, "3 × 3 DSC (64)"),
        (11, None, "2 × 2 AvgPool"),
        (12, "GlobalAvgPool", "GlobalAvgPool"),
        (13, "Fully Connected", "Fully Connected"),
        (14, "3-way Sigmoid", "3-way Sigmoid"),
    ),
    command=_SEARCH,
    needs=_CLIPS,
    hours="about 170 on one GPU of 2020 (the authors'; not measured here)",
    results=("results.json", "report.html"),
)

TABLE_4 = Published(
    paper="Scene search",
    name="Table 4",
    title="Size and accuracy of networks",
    corpus=CORPUS,
    columns=("model", "size MB", "accuracy %"),
    rows=(
        ("AlexNet (Modified)", 33.8, 95.5),
        ("MobileNet V1", 12.2, 94.8),
        ("MobileNet V2", 8.5, 94.4),
        ("ShuffleNet V2", 4.8, 94.0),
        ("Model A (float-32)", 0.42, 95.6),
        ("Model A (float-16)", 0.21, 95.6),
        ("Model B (float-32)", 0.29, 95.8),
        ("Model B (float-16)", 0.15, 95.8),
    ),
    command=_NETWORKS,
    needs=_CLIPS,
    hours="not published, not measured here",
    results=("results.json", "report.html"),
)

FIGURE_1 = Published(
    paper="Scene search",
    name="Figure 1",
    title="The two kinds of modules, drawn",
    corpus="none",
    columns=(),
    rows=(),
    command="python -m dcase_system.complexity scene_b_table3",
    needs=_NOTHING,
    hours=_AT_ONCE,
    results=(),
)

FIGURE_2 = Published(
    paper="Scene search",
    name="Figure 2",
    title="A network of the search space, drawn",
    corpus="none",
    columns=(),
    rows=(),
    command="python -m dcase_system.complexity scene_b_table3",
    needs=_NOTHING,
    hours=_AT_ONCE,
    results=(),
)

FIGURE_3 = Published(
    paper="Scene search",
    name="Figure 3",
    title="Accuracy of each candidate against its size",
    corpus=CORPUS,
    columns=("size KB", "accuracy %"),
    rows=(),
    command=_SEARCH,
    needs=_CLIPS,
    hours=TABLE_3.hours,
    results=("results.json", "report.html"),
)

FIGURE_4 = Published(
    paper="Scene search",
    name="Figure 4",
    title="Normalised histograms of accuracy by growth of the width; the text prints their means",
    corpus=CORPUS,
    columns=("growth", "mean accuracy %"),
    rows=((2.0, 92.5), (1.75, 92.9), (1.5, 92.9), (1.25, 93.2), (1.0, 93.3)),
    command=_SEARCH,
    needs=_CLIPS,
    hours=TABLE_3.hours,
    results=("results.json", "report.html"),
)

PUBLISHED = (TABLE_1, TABLE_2, FIGURE_1, FIGURE_2, TABLE_3, FIGURE_3, FIGURE_4, TABLE_4)
