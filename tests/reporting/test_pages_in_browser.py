"""The pages in headless Chromium, at the widths of a phone and a desktop."""

import base64
import json

import pytest

from dcase_system.challenge.package_results import write_results
from dcase_system.reporting.comparison import write_comparison
from dcase_system.reporting.report import write_report
from tests.browser import start
from tests.challenge.test_package_results import row
from tests.reporting.runs import write_run

pytestmark = pytest.mark.browser
WIDTHS = {"phone": 390, "desktop": 1280}
# Text that a screen cuts, inside a table's own box or not.
_CUT = """
const wide = e => e.getBoundingClientRect().right > innerWidth + 0.5;
document.querySelectorAll('details').forEach(e => e.open = true);
const texts = [...document.querySelectorAll('h1, h2, p, dt, dd, li, summary, figcaption, svg')];
const boxes = [...document.querySelectorAll('.wide')];
const scrolls = e => getComputedStyle(e).overflowX === 'auto' && e.offsetHeight > e.clientHeight;
return [
  ...texts.filter(wide),
  ...boxes.filter(e => wide(e) || (e.scrollWidth > e.clientWidth && !scrolls(e))),
  ...[...document.querySelectorAll('table')].filter(e => !e.closest('.wide')),
].map(e => e.textContent.trim().slice(0, 40));
"""


def _add_waveform(scores):
    scores["forms"]["tflite_dynamic_waveform"] = scores["forms"]["tflite_int8"]


def _add_commit(config):
    config["code"]["commit"] = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(scope="module")
def chromium():
    driver = start()
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each kind; the run has file names, scenes and checksums as long as real ones."""
    folder = tmp_path_factory.mktemp("pages")
    run = write_run(folder / "run", scenes=("airport", "street_pedestrian", "metro_station"))
    for name, change in (("dev_test/scores.json", _add_waveform), ("config.json", _add_commit)):
        content = json.loads((run / name).read_text())
        change(content)
        (run / name).write_text(json.dumps(content))
    edge = run / "edge"
    (edge / "student_dynamic_waveform.json").write_text(json.dumps({"bytes": 1_553_832}))
    half = folder / "half"
    half.mkdir()
    (half / "config.json").write_text((run / "config.json").read_text())
    write_comparison([run, write_run(folder / "other", 0.9, seed=1)], folder / "comparison")
    package = folder / "package"
    package.mkdir()
    settings = {"kind": "package", "systems": ["S1"], "seed": 0}
    config = {"command": ["x"], "settings": settings, "versions": {}, "code": {}}
    (package / "config.json").write_text(json.dumps(config))
    rows = [row(name, split, 40 + split / 9) for name in ("S1", "S3") for split in (5, 25, 100)]
    write_results(package, rows, [5, 25, 100], same_corpus=True)
    return {
        "run": write_report(run),
        "half": write_report(half),
        "comparison": folder / "comparison" / "report.html",
        "package": package / "report.html",
    }


def show(chromium, page, width):
    """Opens a page on a screen of this width."""
    phone = width == "phone"
    metrics = {"width": WIDTHS[width], "height": 844, "deviceScaleFactor": 2, "mobile": phone}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
    chromium.get(page.as_uri())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["run", "half", "comparison", "package"])
def test_nothing_is_cut(chromium, pages, kind, width):
    show(chromium, pages[kind], width)
    assert chromium.execute_script(_CUT) == []


@pytest.mark.parametrize("table", ["forms", "rules", "by_scene", "origin"])
def test_a_phone_shows_every_column_of_the_main_tables_at_once(chromium, pages, table):
    show(chromium, pages["run"], "phone")
    script = f"return document.getElementById('{table}').getBoundingClientRect().right"
    assert chromium.execute_script(script) <= WIDTHS["phone"]


@pytest.mark.parametrize("way", ["tap", "tab"])
@pytest.mark.parametrize("where", ["strong .number", "#rules .number", "#figure-confusion li"])
def test_a_number_shows_its_source_without_a_pointer(chromium, pages, where, way):
    show(chromium, pages["run"], "phone")
    element = f"document.querySelector({where!r})"
    chromium.execute_script("document.querySelectorAll('details').forEach(e => e.open = true)")
    chromium.execute_script(f"{element}.scrollIntoView({{block: 'center'}})")
    if way == "tap":
        x, y = chromium.execute_script(
            f"const box = {element}.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]"
        )
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            event = {"type": kind, "touchPoints": points}
            chromium.execute_cdp_cmd("Input.dispatchTouchEvent", event)
        chromium.execute_async_script("requestAnimationFrame(arguments[0])")
    else:
        assert chromium.execute_script(f"return {element}.tabIndex") == 0
        chromium.execute_script(f"{element}.focus()")
    says, source, position = chromium.execute_script(
        f"const style = getComputedStyle({element}, '::after');"
        f"return [style.content, {element}.dataset.source, style.position]"
    )
    assert says.strip('"') == source and position == "fixed"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["run", "half", "comparison", "package"])
def test_a_page_fits_and_does_not_complain(chromium, pages, artefacts, kind, width):
    pixels = WIDTHS[width]
    show(chromium, pages[kind], width)
    script = "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    wide, high = chromium.execute_script(script)
    assert wide <= pixels
    assert [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []
    asked = [
        event["params"]["request"]["url"]
        for event in (json.loads(x["message"])["message"] for x in chromium.get_log("performance"))
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert all(address.startswith(("file:", "data:")) for address in asked)
    # Text in figures grows small with the page, but not too small to read.
    smallest = chromium.execute_script(
        "return Math.min(...[...document.querySelectorAll('figure svg text')]"
        ".filter(t => t.textContent.trim()).map(t => t.getBoundingClientRect().height))"
    )
    assert smallest is None or smallest >= 7
    clip = {"x": 0, "y": 0, "width": pixels, "height": min(high, 6_000), "scale": 1}
    shot = chromium.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    content = base64.b64decode(shot["data"])
    (artefacts / f"report-{kind}-{width}.png").write_bytes(content)
    assert len(content) > 10_000


def test_a_page_prints_on_a_few_sheets(chromium, pages, artefacts):
    chromium.get(pages["run"].as_uri())
    printed = base64.b64decode(chromium.execute_cdp_cmd("Page.printToPDF", {})["data"])
    (artefacts / "report-run.pdf").write_bytes(printed)
    assert 2 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 12
