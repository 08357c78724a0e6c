"""Exports tables (LaTeX, Markdown, CSV) and figures (PDF, SVG) for a technical report."""

from pathlib import Path

from dcase_system.core.files import replacing, write_text
from dcase_system.reporting.content import Page, Picture, Table
from dcase_system.reporting.style import file_content
from dcase_system.reporting.tables import as_latex, as_markdown, table_csv


def write_material(folder: Path, page: Page) -> None:
    """Writes a page's tables to `tables/NAME.{tex,md,csv}`, figures to `figures/NAME.{pdf,svg}`."""
    for table in page.blocks(Table):
        path = folder / "tables" / table.name
        write_text(path.with_suffix(".tex"), as_latex(table))
        write_text(path.with_suffix(".md"), as_markdown(table))
        write_text(path.with_suffix(".csv"), table_csv(table))
    for picture in page.blocks(Picture):
        for kind in ("pdf", "svg"):
            with replacing(folder / "figures" / f"{picture.name}.{kind}") as temporary:
                temporary.write_bytes(file_content(picture.figure, kind))
