"""Reads a page back and looks up the source of each number."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_VOID = {"meta", "link", "br", "img", "wbr"}
_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+")
_PLACE = re.compile(r"[\w./-]+#[\w/~-]+")
_SCALES = (1.0, 100.0, 1e-6)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """Elements of a page, each with all the text in it."""

    found: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attributes):
        element = Element(tag, dict(attributes))
        self.found.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.found.append(Element(tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        for element in self.open:
            element.text += data


def elements(page: str) -> list[Element]:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader.found


def traced(page: str, base: Path) -> int:
    """Checks every number that names its source, and that every number in a table does.

    Returns:
        How many there are.
    """
    found = elements(page)
    count = 0
    for element in found:
        source = element.attributes.get("data-source")
        if source is not None:
            text = element.attributes.get("data-shown") or element.text
            assert says(text.strip(), value_at(base, source)), f"{text!r} is not {source}"
            count += 1
        elif element.tag in ("td", "strong") and _NUMBER.fullmatch(element.text.strip()):
            inner = [e for e in found if e.attributes.get("data-source") and e.text == element.text]
            assert inner, f"{element.text!r} names no source"
    return count


def value_at(base: Path, source: str) -> Any:
    """The value at a place, or that of a formula of places: `= 100 / count(a.json#/list)`."""
    if source.startswith("= "):
        formula = _PLACE.sub(lambda found: repr(value_at(base, found[0])), source[2:])
        return eval(formula, {"__builtins__": {}, "count": len})
    name, pointer = source.split("#/")
    text = (base / name).read_text()
    lines = name.endswith(".jsonl")
    value = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    for step in pointer.split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def says(text: str, value: float) -> bool:
    """Whether a text is the value rounded to as many digits, as it is, in percent or millions."""
    shown = float(text.replace(",", ""))
    digits = len(text.partition(".")[2])
    return any(f"{value * scale:.{digits}f}" == f"{shown:.{digits}f}" for scale in _SCALES)
