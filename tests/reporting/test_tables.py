"""A table as text, LaTeX, Markdown and CSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcase_system.reporting.content import Table
from dcase_system.reporting.numbers import Document, Number
from dcase_system.reporting.tables import as_latex, as_markdown, as_text, table_csv


@pytest.fixture
def table():
    document = Document("a.json", {"x": 71.2468, "y": 129_750})
    return Table(
        "name",
        "A title & more",
        ("run", "accuracy %", "bytes", "verdict"),
        [
            ("S1_a", document.number("x"), document.number("y", spec=","), "complies"),
            ("S2", None, document.number("y", spec=","), "OVER"),
        ],
    )


def test_text_has_a_line_a_row(table):
    title, head, first, second = as_text(table).splitlines()
    assert title == "A title & more"
    assert head.split() == ["run", "accuracy", "%", "bytes", "verdict"]
    assert first.split() == ["S1_a", "71.2", "129,750", "complies"]
    assert second.split() == ["S2", "–", "129,750", "OVER"]


@given(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(
            st.lists(
                st.from_regex(r"[ab%]{1,6}( [ab%]{1,6}){0,2}", fullmatch=True),
                min_size=n,
                max_size=n,
            ),
            st.lists(
                st.tuples(st.text(max_size=100), *[st.text("19.", max_size=6)] * (n - 1)),
                max_size=4,
            ),
        )
    )
)
def test_text_fits_80_columns(drawn):
    """As long as its numbers do."""
    columns, rows = drawn
    text = as_text(Table("t", "title " * 30, columns, rows))
    assert max(map(len, text.splitlines()), default=0) <= 80


def test_headings_are_broken_where_they_must_and_end_in_one_line():
    columns = ("name", *["mean of several words"] * 6)
    first, *_, last, row = as_text(Table("t", "t", columns, [("n", *"123456")])).splitlines()[1:]
    assert first.split() == ["mean", "of"] * 6 or first.split() == ["mean"] * 6
    assert last.split() == ["name", *["words"] * 6] and len(last) == len(row)


def test_text_obeys_no_control_characters():
    text = as_text(Table("t", "t\x1b[2J", ("run",), [("a\x1b[31m\rb",)]))
    assert "\x1b" not in text and "\r" not in text


def test_long_names_keep_both_ends():
    rows = [("package/S1/" + "x" * 90 + "/split_5",), ("package/S1/" + "x" * 90 + "/split_10",)]
    lines = as_text(Table("t", "t", ("run",), rows)).splitlines()
    assert lines[-2].endswith("/split_5") and lines[-1].endswith("/split_10")


def test_latex_is_escaped_and_sets_numbers_to_the_right(table):
    text = " ".join(as_latex(table).split())
    assert r"\begin{tabular}{lrrl}" in text
    assert r"\caption{A title \& more}" in text
    assert r"S1\_a & 71.2 & 129,750 & complies \\" in text
    assert r"S2 & – & 129,750 & OVER \\" in text
    hostile = as_latex(Table("t", r"\input{/etc/passwd}", ("a^b~%#$",), [("{}",)]))
    assert r"\textbackslash{}input\{/etc/passwd\}" in hostile
    assert r"a\^{}b\textasciitilde{}\%\#\$" in hostile


def test_markdown_has_the_cells(table):
    head, rule, *rows = as_markdown(table).splitlines()[2:]
    assert [cell.strip() for cell in head.split("|")] == ["", *table.columns, ""]
    assert set(rule) == {"|", "-"} and rule.count("|") == 5
    assert [row.split() for row in rows] == [
        ["|", "S1_a", "|", "71.2", "|", "129,750", "|", "complies", "|"],
        ["|", "S2", "|", "–", "|", "129,750", "|", "OVER", "|"],
    ]


def test_a_table_without_rows_keeps_its_columns():
    empty = Table("t", "t", ("a", "b"), [])
    assert as_text(empty) == "t\na  b"
    assert r"\begin{tabular}{lr}" in as_latex(empty)
    assert as_markdown(empty) == "t\n"


def test_csv_has_all_digits(table):
    rows = list(csv.reader(io.StringIO(table_csv(table))))
    assert rows[1] == ["S1_a", "71.2468", "129750", "complies"]
    assert rows[2][1] == ""


def test_a_number_names_its_place():
    document = Document("runs/a.json", {"forms": {"a/b~c": [{"accuracy": 12.34}]}})
    number = document.number("forms", "a/b~c", 0, "accuracy")
    assert number == Number(12.34, "runs/a.json#/forms/a~1b~0c/0/accuracy")
    assert str(number) == "12.3"


@pytest.mark.parametrize("value", [None, True, "1", float("nan"), float("inf"), [], {}])
def test_what_is_no_number_is_none(value):
    assert Document("a", {"x": value}).number("x") is None


@pytest.mark.parametrize("keys", [("y",), ("x", 0), ("x", 0, "y"), (0,), ("x", -1), ("z", 5)])
def test_a_place_that_is_not_there_is_none(keys):
    assert Document("a", {"x": 1, "z": [1]}).get(*keys) is None
