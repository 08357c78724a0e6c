"""The pages in headless Chromium, on a phone and on a desk."""

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


@pytest.fixture(scope="module")
def chromium():
    driver = start()
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    run = write_run(folder / "run")
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


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["run", "half", "comparison", "package"])
def test_a_page_fits_and_does_not_complain(chromium, pages, artefacts, kind, width):
    pixels = WIDTHS[width]
    metrics = {"width": pixels, "height": 844, "deviceScaleFactor": 2, "mobile": width == "phone"}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chromium.get(pages[kind].as_uri())
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
