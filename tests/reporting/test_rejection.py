"""Pages and summaries of runs with unknown sounds or several labels a clip."""

import json

import pytest

from dcase_system.core.files import write_json
from dcase_system.reporting.content import Table
from dcase_system.reporting.model_card import write_model_card
from dcase_system.reporting.numbers import plain
from dcase_system.reporting.rejection import rejection_notes
from dcase_system.reporting.report import write_report
from dcase_system.reporting.run_files import read_run
from dcase_system.reporting.run_page import run_page
from dcase_system.reporting.summary import run_summary
from tests.reporting.runs import write_run


def with_scores(folder, change):
    path = write_run(folder) / "dev_test" / "scores.json"
    write_json(path, change(json.loads(path.read_text())))
    return folder


def test_the_card_says_what_is_rejected_and_what_it_costs(tmp_path):
    scored = {"accuracy": 90.0, "false_rejections": 2.0, "known_clips": 30, "unknown_clips": 10}
    without = scored | {"rejections": 60.0, "false_acceptances": 40.0}
    strict = without | {"accuracy": 86.5, "false_rejections": 6.0, "rejections": 80.0}
    rejection = {"classes": ["noise"], "threshold": 0.4567, "without": without, "with": strict}
    with_scores(tmp_path, lambda scores: scores | {"rejection": rejection})
    notes = [plain(note.text) for note in rejection_notes(read_run(tmp_path))]
    assert notes == [
        "Of the test clips of noise (10) 60.0 % are recognised as such and 40.0 % are taken for "
        "another class; of all other clips 2.0 % are taken for noise.",
        "With the answer `unknown` below a probability of 0.457 (`classify --reject`), 6.0 % of "
        "the test clips of known classes are rejected, and their accuracy is 86.5 % instead of "
        "90.0 %; of unknown sounds 80.0 % are rejected.",
    ]
    card = write_model_card(tmp_path).read_text()
    assert notes[0] in card and notes[1] in card
    assert "there is no class for unknown sounds" not in card
    summary = run_summary(tmp_path)
    assert "noise (10) 60.0 %" in summary and max(map(len, summary.splitlines())) <= 80


@pytest.fixture
def tagged(tmp_path):
    def tags(scores):
        names = ("airport", "bus")
        form = {
            "overall": {"map": 0.625, "chance": 0.25, "clips": 40},
            "class_wise": {name: {"average_precision": 0.5, "clips": 9} for name in names},
            **{"agreement": 90.0, "largest_difference": 0.0123, "mean_difference": 0.001},
        }
        intervals = {
            "overall": [0.5, 0.7],
            "class_wise": {"airport": [0.25, 0.75], "bus": None},
        }
        forms = dict.fromkeys(scores["forms"], form)
        return {
            "submitted_form": scores["submitted_form"],
            "forms": forms,
            "intervals_95": intervals,
        }

    return with_scores(tmp_path, tags)


def test_a_run_of_several_labels_is_scored_by_average_precision(tagged):
    first, *others = run_summary(tagged).splitlines()
    assert first == "dev-test mean average precision 62.5 % (95 % interval 50.0 to 70.0)"
    assert others[0] == "chance level 25.0 % (mean share of clips with a class)"
    assert max(map(len, others)) <= 80
    page = run_page(tagged)
    (verdict, *_) = page.verdicts
    assert (verdict.name, str(verdict.value)) == ("mean average precision, %", "62.5")
    (table,) = (
        block
        for part in page.sections
        for block in part.blocks
        if isinstance(block, Table) and block.name == "by_label"
    )
    assert [str(cell) for cell in table.rows[0]] == ["airport", "50.0", "25.0", "75.0", "9"]
    card = write_model_card(tagged).read_text()
    assert "average precision" in card and "It predicts one of its classes" not in card
    write_report(tagged)
    assert "Average precision by label" in (tagged / "report.html").read_text()
