"""Style of figures: small enough for a phone, series distinguishable without colour."""

import io
import re
import textwrap
from typing import Any
from xml.etree import ElementTree as xml

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dcase_system.reporting.content import Mark, Picture

# Okabe and Ito's colours that also differ in lightness; each series also has its own line style.
SERIES: tuple[dict[str, Any], ...] = (
    {"color": "#00476b", "linestyle": "-", "marker": "o"},
    {"color": "#d55e00", "linestyle": "--", "marker": "s"},
    {"color": "#56b4e9", "linestyle": "-.", "marker": "^"},
    {"color": "#444444", "linestyle": ":", "marker": "D"},
    {"color": "#009e73", "linestyle": (0, (6, 1, 1, 1)), "marker": "v"},
    {"color": "#999999", "linestyle": (0, (1, 3)), "marker": "x"},
)
_MARKERS = "os^DvP*"  # no common divisor with the number of line styles: 42 series differ
DARK, LIGHT, GREY = "#00476b", "#9ecae1", "#777777"
WIDTH_INCHES = 4.5  # 432 pixels: still legible on a phone at three quarters
_SETTINGS: Any = {
    "svg.fonttype": "none",  # keeps text searchable and readable by screen readers
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.parse_math": False,  # names may contain a dollar sign
    "svg.hashsalt": "figure",
}
# A decorator for drawing functions, so that other figures keep their settings.
house_style = mpl.rc_context(_SETTINGS)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
xml.register_namespace("", _SVG)
xml.register_namespace("xlink", _XLINK)


def nth_series(index: int) -> dict[str, Any]:
    """Returns the style of one of many series, each with its own marker or line style."""
    return SERIES[index % len(SERIES)] | {"marker": _MARKERS[index % len(_MARKERS)]}


def new_figure(height_inches: float, rows: int = 1, **subplots: Any) -> tuple[Figure, list[Axes]]:
    """Creates a figure and its panels, one below the other.

    Without pyplot, which keeps figures alive and needs a display.
    """
    figure = Figure((WIDTH_INCHES, height_inches), layout="constrained")
    panels = figure.subplots(rows, squeeze=False, **subplots)[:, 0].tolist()
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def legend_below(figure: Figure, axes: Axes) -> None:
    """Adds a legend below the panel, where it hides no points; the figure grows by its rows."""
    lines, names = axes.get_legend_handles_labels()
    labels = [textwrap.shorten(name, 40, placeholder="…") for name in names]
    most = max(1, min(3, 48 // max(map(len, labels), default=1)))
    rows = -(-len(labels) // most)
    figure.set_figheight(figure.get_figheight() + 0.18 * rows)
    figure.legend(
        lines,
        labels,
        loc="outside lower center",
        ncols=-(-len(labels) // max(1, rows)),
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
    )


def name_above(axes: Axes, x: float, name: str) -> None:
    """Writes a name above the panel, centred on a value of the x axis."""
    axes.annotate(
        name,
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        color=GREY,
        fontsize="x-small",
    )


@house_style
def file_content(figure: Figure, kind: str) -> bytes:
    """Renders a figure as `pdf`, `svg` or `png`, the same bytes each time."""
    stream = io.BytesIO()
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[kind]
    figure.savefig(stream, format=kind, metadata=undated, dpi=150)
    content = stream.getvalue()
    # XML allows no control characters, escaped or not.
    return _CONTROL.sub(b" ", content) if kind == "svg" else content


def inline_svg(picture: Picture) -> str:
    """Renders a figure as an element of a page, with tooltips and the sources of numbers.

    Raises:
        ValueError: A mark is not in the figure.
    """
    root = xml.fromstring(file_content(picture.figure, "svg"))
    # matplotlib's style element would apply to the whole page.
    for parent in root.iter(f"{{{_SVG}}}defs"):
        for style in parent.findall(f"{{{_SVG}}}style"):
            parent.remove(style)
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    by_id = {element.get("id"): element for element in root.iter()}
    for gid, marks in picture.marks.items():
        _explain(by_id.get(gid), gid, marks)
    _own_names(root, picture.name)
    for size in ("width", "height"):
        del root.attrib[size]
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    root.set("role", "img")
    root.set("aria-label", picture.title)
    return xml.tostring(root, encoding="unicode")


def _explain(element: xml.Element | None, gid: str, marks: Any) -> None:
    points = [] if element is None else list(element.iter(f"{{{_SVG}}}use"))
    if element is not None and not points:
        points = [element]
    if len(points) != len(marks):
        raise ValueError(f"{gid}: {len(marks)} marks for {len(points)} points")
    for point, mark in zip(points, marks, strict=True):
        _say(point, mark)


def _say(point: xml.Element, mark: Mark) -> None:
    title = xml.Element(f"{{{_SVG}}}title")
    title.text = mark.text
    point.insert(0, title)
    if mark.number is not None:
        point.set("data-source", mark.number.source)
        point.set("data-shown", str(mark.number))


def _own_names(root: xml.Element, name: str) -> None:
    """Prefixes element names with the figure's, because a page has several figures."""
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, f"{name}-{value}")
            elif key == f"{{{_XLINK}}}href" and value.startswith("#"):
                element.set(key, f"#{name}-{value[1:]}")
            elif value.startswith("url(#"):
                element.set(key, f"url(#{name}-{value[5:]}")
