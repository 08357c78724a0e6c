"""Figures: series distinct without colour, named marks, unique IDs on a page."""

import re
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from dcase_system.reporting.content import Mark, Picture
from dcase_system.reporting.numbers import Number
from dcase_system.reporting.report import page_of
from dcase_system.reporting.style import SERIES, file_content, inline_svg, new_figure
from tests.reporting.runs import write_run


def lightness(color) -> float:
    """Relative luminance, 0 (black) to 1, as a printer without colour sees it."""
    linear = np.where(
        np.array(to_rgb(color)) <= 0.04045,
        np.array(to_rgb(color)) / 12.92,
        ((np.array(to_rgb(color)) + 0.055) / 1.055) ** 2.4,
    )
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.fixture
def picture():
    figure, (axes,) = new_figure(2.0)
    (line,) = axes.plot([1, 2, 3], [1, 2, 3], "o-")
    line.set_gid("points")
    marks = [Mark(f"point <{x}>", Number(x, f"a.json#/{x}")) for x in range(3)]
    return Picture("small", "A figure", figure, {"points": marks})


def test_series_differ_in_line_and_marker():
    for one, other in combinations(SERIES, 2):
        assert one["linestyle"] != other["linestyle"] or one["marker"] != other["marker"]
        assert one["marker"] != other["marker"]


def test_nothing_drawn_is_too_light_for_paper():
    for style in SERIES:
        contrast = 1.05 / (lightness(style["color"]) + 0.05)
        assert contrast >= 2.2, style["color"]


def test_shades_of_the_confusion_matrix_grow_with_the_share():
    shades = [lightness(mpl.colormaps["Blues"](share)[:3]) for share in np.linspace(0, 1, 20)]
    assert all(np.diff(shades) < 0)


def test_counts_stand_out_from_their_cells(tmp_path):
    write_run(tmp_path)
    (matrix,) = (p for p in page_of(tmp_path).blocks(Picture) if p.name == "confusion")
    (axes,) = matrix.figure.axes
    shares = axes.images[0].get_array()
    for text in axes.texts:
        taken, true = map(int, text.get_position())
        cell = lightness(mpl.colormaps["Blues"](float(shares[true, taken]))[:3])
        ink = lightness(text.get_color())
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) >= 4.5


def test_each_point_says_what_it_is_and_where_it_came_from(picture):
    svg = inline_svg(picture)
    for x in range(3):
        assert f"<title>point &lt;{x}&gt;</title>" in svg
        assert f'data-source="a.json#/{x}" data-shown="{x}.0"' in svg


def test_a_mark_without_its_point_is_a_mistake(picture):
    picture.marks["points"].pop()
    with pytest.raises(ValueError, match="2 marks for 3 points"):
        inline_svg(picture)


def test_figures_of_one_page_have_names_of_their_own(picture):
    other = Picture("other", "t", picture.figure, {})
    ids = [set(re.findall(r'\bid="([^"]+)"', inline_svg(one))) for one in (picture, other)]
    assert ids[0].isdisjoint(ids[1])
    for one, own in zip((picture, other), ids, strict=True):
        used = re.findall(r'(?:href="#|url\(#)([^")]+)', inline_svg(one))
        assert used and set(used) <= own


def test_a_figure_styles_nothing_but_itself(picture):
    before = dict(mpl.rcParams)
    svg = inline_svg(picture)
    assert "<style" not in svg
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_files_are_the_same_each_time(picture, kind):
    assert file_content(picture.figure, kind) == file_content(picture.figure, kind)
