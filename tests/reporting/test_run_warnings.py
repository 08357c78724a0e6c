"""Warnings on a run's page and in its summary."""

import json

import pytest

from dcase_system.reporting.content import Note
from dcase_system.reporting.html import as_html
from dcase_system.reporting.model_card import write_model_card
from dcase_system.reporting.report import page_of, write_report
from dcase_system.reporting.run_files import read_run
from dcase_system.reporting.run_warnings import training_steps
from dcase_system.reporting.summary import run_summary
from tests.reporting.runs import SCENES, write_run
from tests.reporting.tracing import elements, traced

ONE_CLASS = "Warning: predicts one class only; train longer."
FEW_STEPS = (
    "Warning: only {} training step{}; accuracy will rise with more epochs or smaller batches."
)


@pytest.fixture
def run(tmp_path):
    """A run of ten steps an epoch: 5 epochs, then 2 and 3 after pruning."""
    return write_run(tmp_path)


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def predicts(run, *columns):
    counts = [[5 if at in columns else 0 for at in range(len(SCENES))] for _ in SCENES]
    edit(run / "dev_test/scores.json", lambda content: content.update(confusion=counts))


def steps(run, per_epoch):
    edit(run / "config.json", lambda c: c["settings"].update(steps_per_epoch=per_epoch))


def said(run):
    """Returns the warnings; page, summary and model card must have the same."""
    first = page_of(run).sections[0].blocks
    found = [block.text for block in first if isinstance(block, Note) and block.warns]
    summary = " ".join(run_summary(run).split())
    card = write_model_card(run).read_text()
    assert summary.count("Warning") == card.count("Warning") == len(found)
    assert all(text in summary and text in card for text in found)
    assert max(map(len, run_summary(run).splitlines())) <= 80
    return found


def test_a_sound_run_warns_of_nothing(run):
    assert said(run) == []


def test_a_network_that_predicts_one_class_warns(run):
    predicts(run, 3)
    assert said(run) == [ONE_CLASS]


def test_a_network_that_predicts_two_classes_does_not(run):
    predicts(run, 3, 4)
    assert said(run) == []


@pytest.mark.parametrize("confusion", [None, [], [[4]], "text", [1, 2], [[None, "3"], [3, 4]]])
def test_other_counts_are_no_fault(run, confusion):
    edit(run / "dev_test/scores.json", lambda content: content.update(confusion=confusion))
    assert ONE_CLASS not in said(run)


def test_steps_are_those_of_all_stages(run):
    assert training_steps(read_run(run)).value == 10 * (5 + 2 + 3)


@pytest.mark.parametrize(("per_epoch", "count"), [(9, 90), (1, 10)])
def test_few_steps_warn_with_their_number(run, per_epoch, count):
    steps(run, per_epoch)
    assert said(run) == [FEW_STEPS.format(count, "s")]
    assert traced(write_report(run).read_text(), run) > 300


def test_one_step_is_no_steps(run):
    steps(run, 1)
    edit(run / "config.json", lambda c: c["settings"]["plan"].update(epochs=1, rounds=[]))
    assert said(run) == [FEW_STEPS.format(1, "")]


def test_steps_that_are_not_known_are_not_warned_of(run):
    steps(run, None)
    assert said(run) == []


def test_warnings_stand_out_on_the_page(run):
    predicts(run, 0)
    classes = [e for e in elements(as_html(page_of(run))) if e.text == ONE_CLASS]
    assert [element.attributes.get("class") for element in classes] == ["warning"]
