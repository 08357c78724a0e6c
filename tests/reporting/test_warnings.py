"""The page of any kind of run shows the warnings about its lists."""

import json

import pytest

from dcase_system.reporting.content import Note
from dcase_system.reporting.package_page import package_page
from dcase_system.reporting.run_page import run_page
from dcase_system.reporting.scene_search import scene_search_page
from dcase_system.reporting.supernet import supernet_page
from dcase_system.reporting.teachers_page import teachers_page

PAGES = [run_page, teachers_page, supernet_page, scene_search_page, package_page]
WARNINGS = ["3 of 9 recording places of test.csv are in split5.csv too", "two", "a < b"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("warnings", [WARNINGS, WARNINGS[2:], []])
def test_each_page_has_every_warning_first(tmp_path, page, warnings):
    config = {"settings": {"kind": "teachers", "split": 5, "members": {}, "warnings": warnings}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    first = page(tmp_path).sections[0].blocks
    texts = [block.text for block in first if isinstance(block, Note)]
    assert texts[: len(warnings)] == [f"Warning: {line}." for line in warnings]
    assert sum(text.startswith("Warning") for text in texts) == len(warnings)
