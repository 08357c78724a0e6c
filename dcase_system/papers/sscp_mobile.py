"""SJTU-THU's report on SSCP-Mobile (DCASE 2024 Task 1): its two tables, as printed."""

from dcase_system.papers.published import Published

_CORPUS = "TAU Urban Acoustic Scenes 2022 Mobile, development set"
_COMMAND = (
    "python -m recipes.challenge_package --data_dir=TAU --evaluation_dir=EVALUATION "
    "--systems=S1,S2,S3 --initial_weights=A,B,C"
)
_NEEDS = "TAU 2022 Mobile (development and evaluation), three published PaSST checkpoints, a GPU"
_HOURS = "not measured: no machine with a GPU and TAU was available"

TABLE_1 = Published(
    paper="SSCP-Mobile",
    name="Table 1",
    title="Configuration of the three submitted systems",
    corpus=_CORPUS,
    columns=("system", "parameters", "MACs", "teachers", "schedule", "pruned"),
    rows=(
        ("S1", 63_748, 29_982_132, "4 PaSST", "AGP", "from base channel 64 to 32"),
        ("S2", 63_875, 29_840_890, "4 PaSST", "linear", "from base channel 96 to 32"),
        ("S3", 63_215, 29_221_122, "4 PaSST", "AGP", "progressive, from 96 to 64, then to 32"),
    ),
    command=_COMMAND,
    needs=_NEEDS,
    hours=_HOURS,
    results=("results.json#/systems",),
)

TABLE_2 = Published(
    paper="SSCP-Mobile",
    name="Table 2",
    title="Accuracy of the three submitted systems on each split, in percent",
    corpus=_CORPUS,
    columns=("system", "5", "10", "25", "50", "100"),
    # The paper prints fractions. In the report's text only two cells survive of each of the last
    # two columns. It is not known which systems they belong to, so they are left out.
    rows=(
        ("S1", 52.1763, 55.8267, 58.8725, None, None),
        ("S2", 52.9521, 56.9413, 59.1428, None, None),
        ("S3", 52.7011, 55.8442, 58.7392, None, None),
    ),
    command=_COMMAND,
    needs=_NEEDS,
    hours=_HOURS,
    results=("results.json#/systems",),
)

BASELINE_TABLE = Published(
    paper="SSCP-Mobile",
    name="2024 baseline",
    title="Accuracy of the organisers' baseline on each split, in percent, mean of five runs",
    corpus=_CORPUS,
    columns=("system", "parameters", "MACs", "5", "10", "25", "50", "100"),
    rows=(("baseline", 61_148, 29_419_156, 42.40, 45.29, 50.29, 53.19, 56.99),),
    command="python -m recipes.challenge_package --data_dir=TAU --evaluation_dir=EVALUATION "
    "--systems=baseline --nodistill",
    needs="TAU 2022 Mobile (development and evaluation), a GPU",
    hours=_HOURS,
    results=("results.json#/systems",),
)
"""From the README of CPJKU/dcase2024_task1_baseline, the baseline of the report's systems."""

SURVIVING_CELLS = {"50": (61.4157, 60.9491), "100": (62.1780, 61.3431)}
"""Cells of Table 2 whose row is unknown, in printed order."""

PUBLISHED = (TABLE_1, TABLE_2, BASELINE_TABLE)
