"""Writes a page as one HTML file, without scripts, network or other files."""

import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from dcase_system.core.files import write_text
from dcase_system.reporting.content import Link, Note, Page, Picture, Table
from dcase_system.reporting.derived import counted
from dcase_system.reporting.numbers import NOTHING, Number, Sentence
from dcase_system.reporting.style import inline_svg

REPORT = "report.html"  # file name of every report
_TEMPLATES = Path(__file__).parent / "templates"


def write_page(path: Path, page: Page) -> None:
    """Writes a page atomically; all text is escaped."""
    write_text(path, as_html(page))


def as_html(page: Page) -> str:
    """Renders a page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["number"] = lambda cell: isinstance(cell, Number)
    environment.filters["kind"] = lambda block: _KINDS[type(block)]
    environment.filters["svg"] = inline_svg
    environment.filters["breakable"] = _breakable
    environment.filters["parts"] = _parts
    environment.filters["counted"] = counted
    return environment.get_template("page.html").render(page=page, nothing=NOTHING)


def _breakable(text: str) -> Markup:
    """Escapes text and lets a narrow column break file names and checksums."""
    pieces = re.split(r"(?<=[_/])|(?<=[a-z])(?=[A-Z])|(?<=[0-9a-f]{20})(?=[0-9a-f]{20})", text)
    return Markup("<wbr>").join(pieces)


def _parts(sentence: Sentence) -> Sequence[str | Number]:
    return [sentence] if isinstance(sentence, str) else sentence


_KINDS = {Table: "table", Picture: "picture", Note: "note", Link: "link"}
