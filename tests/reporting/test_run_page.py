"""The page of a student's run: its content, and its notes on missing files."""

import json
import re
import shutil

import pytest

from dcase_system.reporting.content import Note, Picture, Table
from dcase_system.reporting.html import as_html
from dcase_system.reporting.numbers import Number, plain
from dcase_system.reporting.report import page_of, write_report
from tests.reporting.runs import SCENES, write_run
from tests.reporting.tracing import elements, traced


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(whole, tmp_path):
    """A copy of a run for tests that change it."""
    return shutil.copytree(whole, tmp_path / "run")


def notes(run):
    return " ".join(note.text for note in page_of(run).blocks(Note))


def names(run, kind):
    return {block.name for block in page_of(run).blocks(kind)}


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_every_number_is_the_one_in_the_file_it_names(whole):
    page = write_report(whole).read_text()
    assert traced(page, whole) > 300


def test_a_number_that_is_not_in_its_file_is_noticed(whole, tmp_path):
    page = write_report(whole).read_text()
    changed = shutil.copytree(whole, tmp_path / "changed")
    edit(changed / "complexity.json", lambda content: content.update(params=1))
    with pytest.raises(AssertionError, match="params"):
        traced(page, changed)


def test_the_verdict_names_value_and_limit(whole):
    verdicts = {verdict.name: verdict for verdict in page_of(whole).verdicts}
    over = verdicts["parameters at float16, bytes"]
    assert (str(over.value), str(over.limit), over.complies) == ("129,750", "128,000", False)
    assert verdicts["MACs for one clip"].complies
    remark = plain(verdicts["macro accuracy, %"].remark)
    assert remark.startswith("95 % interval ")
    assert remark.endswith("; chance level 10.0 % (10 classes)")


@pytest.mark.parametrize(
    ("system", "title", "network"),
    [
        ("S2", "S2 on split25", "run: S2 (network sscp_mobile_96, pruned), trained with teachers"),
        (None, "sscp_mobile_96, pruned on split25", "run: sscp_mobile_96, pruned, trained"),
    ],
)
def test_the_heading_names_the_system_and_the_line_below_its_network(run, system, title, network):
    edit(run / "config.json", lambda content: content["settings"].update(system=system))
    page = page_of(run)
    assert page.title == title
    assert network in page.summary


def test_accuracies_have_the_same_unit_in_every_training_plot(whole):
    pictures = {picture.name: picture for picture in page_of(whole).blocks(Picture)}
    assert pictures["accuracy"].title == "Accuracy on the augmented training clips"
    for name, label in (("accuracy", "accuracy, %"), ("val_accuracy", "macro accuracy, %")):
        (axes,) = pictures[name].figure.axes
        assert axes.get_ylabel() == label
        assert max(axes.lines[0].get_ydata()) == pytest.approx(50.0)


@pytest.mark.parametrize("part", ["device_group", "device", "scene"])
def test_accuracies_are_drawn_beside_the_chance_level(tmp_path, part):
    scenes = SCENES[:4]
    write_run(tmp_path, scenes=scenes)
    (picture,) = (p for p in page_of(tmp_path).blocks(Picture) if p.name == f"by_{part}")
    ((mark,),) = (marks for name, marks in picture.marks.items() if name.endswith("chance"))
    assert mark.text == "chance level: 25.0 %"


def test_all_parts_are_there(whole):
    assert names(whole, Table) == {
        *("by_device_group", "by_device", "by_scene", "teachers_train"),
        *("rules", "zeros", "layers", "forms", "origin"),
    }
    assert names(whole, Picture) == {
        *("by_device_group", "by_device", "by_scene", "confusion"),
        *("loss", "accuracy", "val_accuracy", "pruning", "layers"),
    }
    assert re.search(r"\bNo [a-z]", notes(whole)) is None


def test_command_versions_seed_and_state_of_the_code_stand_at_the_end(whole):
    page = as_html(page_of(whole))
    for text in ("--system=S2", "my clips", "3.11.7", "c0ffee, changed since"):
        assert text in page
    (origin,) = (table for table in page_of(whole).blocks(Table) if table.name == "origin")
    seed = {row[0]: row[1] for row in origin.rows}["seed"]
    assert isinstance(seed, Number) and seed.value == 3


def test_the_confusion_matrix_says_each_mistake(whole):
    counts = json.loads((whole / "dev_test/scores.json").read_text())["confusion"]
    wrong = [
        (true, taken)
        for true in range(10)
        for taken in range(10)
        if true != taken and counts[true][taken]
    ]
    page = as_html(page_of(whole))
    for true, taken in wrong:
        clips = "1 clip" if counts[true][taken] == 1 else f"{counts[true][taken]} clips"
        says = f"{clips} of {SCENES[true]} classified as {SCENES[taken]}"
        assert f"<title>{says}</title>" in page


@pytest.mark.parametrize(
    "missing",
    ["complexity.json", "sparsity.json", "teachers.json", "metrics.jsonl", "wide.metrics.jsonl"],
)
def test_a_page_says_what_is_missing(run, missing):
    (run / missing).unlink()
    assert f"{missing} is missing" in notes(run)


@pytest.mark.parametrize("broken", ["", "{", "[]", '"text"', '{"forms": [1, {}]}', "NaN"])
def test_a_page_says_what_is_broken(run, broken):
    for name in ("dev_test/scores.json", "complexity.json", "teachers.json"):
        (run / name).write_text(broken)
        assert f"{name} is" in notes(run)
    assert traced(write_report(run).read_text(), run) >= 2


def test_a_run_that_stopped_in_its_first_training_has_a_page(tmp_path, whole):
    for name in ("config.json", "wide.metrics.jsonl"):
        shutil.copy(whole / name, tmp_path / name)
    said = notes(tmp_path)
    for name in ("dev_test/scores.json", "complexity.json", "pruned1.metrics.jsonl"):
        assert f"{name} is missing" in said
    assert names(tmp_path, Picture) == {"loss", "accuracy", "val_accuracy"}


def test_a_run_of_an_older_version_has_a_page(run):
    edit(
        run / "dev_test/scores.json",
        lambda content: (content.pop("intervals_95"), content.pop("confusion")),
    )
    edit(run / "config.json", lambda content: content["settings"].pop("steps_per_epoch"))
    assert notes(run).count("another version") == 3
    assert {"by_scene", "forms"} <= names(run, Table)


def test_one_device_and_one_scene_are_enough(tmp_path):
    write_run(tmp_path, scenes=("park", "tram"), devices=("a",), recordings=1)
    said = notes(tmp_path)
    for what in ("device group", "device", "scene"):
        assert f"Only one {what}" in said
    assert traced(write_report(tmp_path).read_text(), tmp_path) > 100


def test_text_of_the_data_is_text_on_the_page(tmp_path):
    hostile = ("<script>alert(1)</script>", "</title><b>x", "$\\frac{a}{b}$ & \"'")
    write_run(tmp_path, scenes=(*hostile, "\x00\x1b[2J"))
    edit(tmp_path / "config.json", lambda content: content.update(command=["<img src=x>"]))
    edit(tmp_path / "complexity.json", lambda c: c["layers"][0].update(name="<svg onload=x>"))
    found = elements(write_report(tmp_path).read_text())
    assert {element.tag for element in found}.isdisjoint({"script", "b", "img"})
    assert all(not name.startswith("on") for e in found for name in e.attributes)
    texts = [element.text for element in found if element.tag == "text"]
    assert set(hostile) <= set(texts)  # labels of axes, as they are


def test_a_page_asks_for_nothing_from_elsewhere(whole):
    page = write_report(whole).read_text()
    for element in elements(page):
        assert element.tag != "script"
        for name, value in element.attributes.items():
            if name in ("href", "xlink:href", "src"):
                assert value.startswith(("#", "data:"))
    assert "@import" not in page and not re.search(r"url\((?!#)", page)


def test_trainings_of_one_epoch_are_drawn_without_complaint(run, recwarn):
    for name in ("wide.metrics.jsonl", "pruned1.metrics.jsonl", "metrics.jsonl"):
        path = run / name
        path.write_text(path.read_text().splitlines(keepends=True)[0])
    write_report(run)
    assert [str(warning.message) for warning in recwarn.list] == []
