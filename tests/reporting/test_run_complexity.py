"""The costs on a run's page: the edition that applies, and the most expensive layer."""

import json

import pytest

from dcase_system.reporting.html import as_html
from dcase_system.reporting.numbers import Document
from dcase_system.reporting.report import page_of
from dcase_system.reporting.run_complexity import EDITION, most_expensive_layer, rules_table
from dcase_system.reporting.summary import run_summary
from tests.reporting.runs import complexity, write_run
from tests.reporting.tracing import elements

LAYERS = [
    {"name": "stem", "kind": "Conv2D", "macs": 100, "params": 1},
    {"name": "head", "kind": "Dense", "macs": 300, "params": 1},
]
MIXED = {"macs": 1, "layers": [{"name": "x", "macs": 10**308}]}  # not one report's numbers


@pytest.fixture(scope="module")
def document():
    return Document("complexity.json", complexity())


def test_the_edition_that_applies_is_marked_in_words(document):
    table = rules_table(document, document.names("rules"))
    marked = [row[0] for row in table.rows if "(applies)" in row[0]]
    assert marked == [table.rows[at][0] for at in table.marked]
    assert marked and all(name.startswith(f"{EDITION} (applies): ") for name in marked)
    assert f"those of {EDITION} apply" in table.title


def test_rows_of_one_edition_alone_are_not_marked(document):
    table = rules_table(document, [EDITION])
    assert table.marked == [] and "applies" not in table.rows[0][0]


def test_targets_are_among_the_verdicts_and_in_the_summary(tmp_path):
    run = write_run(tmp_path)
    content = json.loads((run / "complexity.json").read_text())
    rule = {"rule": "MACs for one clip", "value": 9, "limit": 10, "complies": True}
    content["rules"] = {"target": [rule], EDITION: content["rules"][EDITION]}
    (run / "complexity.json").write_text(json.dumps(content))
    last = page_of(run).verdicts[-1]
    assert (last.name, str(last.limit), last.complies) == ("target: MACs for one clip", "10", True)
    shown = run_summary(run)
    assert "target: MACs for one clip" in shown and "applies" not in shown


def test_the_marked_rows_stand_out_on_the_page(tmp_path):
    page = as_html(page_of(write_run(tmp_path)))
    marked = [e.text for e in elements(page) if e.attributes.get("class") == "marked"]
    assert len(marked) == 2 and all("2024 Task 1 (applies)" in text for text in marked)


def test_the_most_expensive_layer_is_named_with_its_share():
    note = most_expensive_layer(Document("c.json", {"macs": 400, "layers": LAYERS}))
    assert note is not None
    assert note.text == "head (Dense) costs the most: 300 of 400 MACs, 75.0 %."


@pytest.mark.parametrize(
    "content", [{}, {"macs": 0, "layers": LAYERS}, {"macs": 4, "layers": []}, MIXED]
)
def test_without_macs_no_layer_is_named(content):
    assert most_expensive_layer(Document("c.json", content)) is None


def test_the_page_names_it_where_the_costs_are(tmp_path):
    (found,) = (s for s in page_of(write_run(tmp_path)).sections if s.title == "Complexity")
    assert any("costs the most" in getattr(block, "text", "") for block in found.blocks)
