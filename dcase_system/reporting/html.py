"""Writes a page as one HTML file, without scripts, network or other files."""

from pathlib import Path

import jinja2

from dcase_system.core.files import write_text
from dcase_system.reporting.content import NOTHING, Link, Note, Number, Page, Picture, Table
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
    return environment.get_template("page.html").render(page=page, nothing=NOTHING)


_KINDS = {Table: "table", Picture: "picture", Note: "note", Link: "link"}
