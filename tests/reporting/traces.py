"""Whether every number on a page stands where it says that it was read from."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from dcase_system.reporting.content import Number, Page, Picture, Table
from dcase_system.reporting.html import as_html


def numbers(page: Page) -> list[Number]:
    """All numbers of a page: of its verdicts, tables and marks."""
    cells: list[Any] = [cell for one in page.verdicts for cell in (one.value, one.limit)]
    cells += [cell for table in page.blocks(Table) for row in table.rows for cell in row]
    for picture in page.blocks(Picture):
        cells += [mark.number for marks in picture.marks.values() for mark in marks]
    return [cell for cell in cells if isinstance(cell, Number)]


def check_numbers(run_dir: Path, page: Page) -> int:
    """Looks every number up, in the file it names and in the HTML; how many there are.

    Raises:
        AssertionError: one is not what stands there, or is shown otherwise.
    """
    expected = {(number.source, str(number)) for number in numbers(page)}
    for number in numbers(page):
        value = _looked_up(run_dir, number.source)
        assert value == number.value, number.source
        scaled = value if number.scale == 1 else value * number.scale
        assert str(number) == format(scaled, number.spec), number.source
    assert _Shown.of(as_html(page)) == expected
    return len(expected)


def _looked_up(run_dir: Path, source: str) -> Any:
    name, pointer = source.split("#", 1)
    text = (run_dir / name).read_text()
    lines = name.endswith(".jsonl")
    value = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    for step in pointer.removeprefix("/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


class _Shown(HTMLParser):
    """Collects (source, text) of what a page shows as a number."""

    def __init__(self):
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self._source: str | None = None

    @classmethod
    def of(cls, page: str) -> set[tuple[str, str]]:
        parser = cls()
        parser.feed(page)
        return parser.found

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "data-shown" in given:
            self.found.add((given["data-source"], given["data-shown"]))
        elif "data-source" in given:
            self._source = given["data-source"]

    def handle_data(self, data):
        if self._source is not None:
            self.found.add((self._source, data))
            self._source = None
