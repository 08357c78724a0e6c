"""Writes `report.html` of a run directory, for any kind of run, finished or not."""

from collections.abc import Callable
from pathlib import Path

from dcase_system.reporting.biodcase_page import biodcase_page
from dcase_system.reporting.content import Page
from dcase_system.reporting.documents import kind_of
from dcase_system.reporting.html import REPORT, write_page
from dcase_system.reporting.package_page import package_page
from dcase_system.reporting.run_page import run_page
from dcase_system.reporting.scene_networks import scene_networks_page
from dcase_system.reporting.scene_search import scene_search_page
from dcase_system.reporting.supernet import supernet_page
from dcase_system.reporting.teachers_page import teachers_page
from dcase_system.reporting.three_ways import three_ways_page

# By the kind of run.
_PAGES: dict[str, Callable[[Path], Page]] = {
    "split": run_page,
    "teachers": teachers_page,
    "scene_search": scene_search_page,
    "scene_networks": scene_networks_page,
    "supernet": supernet_page,
    "package": package_page,
    "biodcase": biodcase_page,
    "three_ways": three_ways_page,
}


def write_report(run_dir: Path) -> Path:
    """Writes the report of what is available; the report names what is missing.

    Returns:
        The path of the report.

    Raises:
        InputError: The folder is not a run directory.
    """
    path = run_dir / REPORT
    write_page(path, page_of(run_dir))
    return path


def page_of(run_dir: Path) -> Page:
    """Builds the page of a run directory.

    Raises:
        InputError: The folder is not a run directory.
    """
    return _PAGES[kind_of(run_dir, _PAGES)](run_dir)
