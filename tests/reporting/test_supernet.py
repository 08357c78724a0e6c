"""Tables and figures of a supernet's run."""

from dcase_system.reporting.supernet import all_scored, best_of_spaces, write_figures, write_tables


def one(params, score, ratio):
    return {"ratios": [[ratio, 1.0], [ratio]], "params": params, "macs": 9, "score": score}


RESULTS = {
    "table1": [{"budget": 0.19, "uniform_params": 1_038_110, "kd": 0.25, "ofa": 0.266}],
    "table2": [{"budget": 0.19, "params": 941_291, "inherited": 0.266, "tuned_2": 0.267}],
    "spaces": {
        "2,2,X": [
            {
                "budget": 0.19,
                "random": [one(120, 0.5, 0.4), one(100, 0.4, 0.6)],
                "evolution": [one(120, 0.5, 0.4), one(110, 0.3, 0.8)],
            },
            {"budget": 0.4, "random": [one(200, 0.6, 1.0)], "evolution": [one(210, 0.6, 0.2)]},
        ],
        "X,X,X": [{"budget": 0.19, "random": [one(90, 0.2, 0.4)]}],
    },
}


def test_tables_and_figures_are_written(tmp_path):
    write_tables(tmp_path, RESULTS)
    write_figures(tmp_path, RESULTS)
    assert (tmp_path / "table1.md").read_text().splitlines()[2] == (
        "| 19.0 % | 1,038,110 | 25.0 | 26.6 |"
    )
    assert (tmp_path / "table2.csv").read_text().splitlines()[1] == "0.19,941291,0.266,0.267"
    for name in ("figure3.png", "figure4.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_figure_3_has_the_best_of_each_space_search_and_budget():
    rows = [tuple(row.values()) for row in best_of_spaces(RESULTS)]
    assert rows == [
        ("2,2,X", "random", 0.19, 120, 0.5),
        ("2,2,X", "evolution", 0.19, 120, 0.5),
        ("2,2,X", "random", 0.4, 200, 0.6),
        ("2,2,X", "evolution", 0.4, 210, 0.6),
        ("X,X,X", "random", 0.19, 90, 0.2),
    ]


def test_figure_4_has_every_sub_network_once_and_marks_the_front():
    rows = [(row["params"], row["on_front"]) for row in all_scored(RESULTS)]
    assert rows == [(100, 1), (110, 0), (120, 1), (200, 1), (210, 0)]
    assert all_scored(RESULTS)[0]["ratios"] == "0.6-1|0.6"
