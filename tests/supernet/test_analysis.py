"""What the searches of a supernet have found together."""

from dcase_system.supernet.analysis import all_scored, best_of_spaces


def one(params, score, ratio):
    return {"ratios": [[ratio, 1.0], [ratio]], "params": params, "macs": 9, "score": score}


SPACES = {
    "2,2,X": [
        {
            "budget": 0.19,
            "random": [one(120, 0.5, 0.4), one(100, 0.4, 0.6)],
            "evolution": [one(120, 0.5, 0.4), one(110, 0.3, 0.8)],
        },
        {"budget": 0.4, "random": [one(200, 0.6, 1.0)], "evolution": [one(210, 0.6, 0.2)]},
    ],
    "X,X,X": [{"budget": 0.19, "random": [one(90, 0.2, 0.4)]}],
}


def test_figure_3_has_the_best_of_each_space_search_and_budget():
    columns = ("space", "search", "budget", "params", "score")
    assert [tuple(row[name] for name in columns) for row in best_of_spaces(SPACES)] == [
        ("2,2,X", "random", 0.19, 120, 0.5),
        ("2,2,X", "evolution", 0.19, 120, 0.5),
        ("2,2,X", "random", 0.4, 200, 0.6),
        ("2,2,X", "evolution", 0.4, 210, 0.6),
        ("X,X,X", "random", 0.19, 90, 0.2),
    ]


def test_figure_4_has_every_sub_network_once_and_marks_the_front():
    rows = [(row["params"], row["on_front"]) for row in all_scored(SPACES)]
    assert rows == [(100, True), (110, False), (120, True), (200, True), (210, False)]
    assert all_scored(SPACES)[0]["spec"] == "0.6-1|0.6"
