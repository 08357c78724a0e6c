"""The page in a browser as a user sees it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PATIENCE = 30.0  # seconds; a second is enough on a machine that has nothing else to do


class Page:
    """The page in a browser.

    Attributes:
        driver: Selenium's.
    """

    def __init__(self, driver):
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)
        self.until(lambda: self.state != "loading")
        assert self.state == "ready", self.text("fault")

    def choose(self, file: Path) -> None:
        """Opens a sound file and waits for the answer."""
        self.driver.find_element("id", "file").send_keys(str(file))
        self.until(lambda: self.state in ("done", "ready") and file.name in self.said())

    def drop(self, name: str, content: bytes) -> None:
        """Drops a file on the page and waits for the answer."""
        self.driver.execute_script(
            "const held = new DataTransfer();"
            "held.items.add(new File([new Uint8Array(arguments[1])], arguments[0]));"
            "for (const kind of ['dragover', 'drop']) document.body.dispatchEvent("
            "new DragEvent(kind, {dataTransfer: held, bubbles: true, cancelable: true}));",
            name,
            list(content),
        )
        self.until(lambda: self.state in ("done", "ready") and name in self.said())

    def click(self, id: str) -> None:
        self.driver.find_element("id", id).click()

    def play(self, start: float) -> None:
        """Plays the recording from a time in seconds."""
        self.driver.execute_script(
            "const player = document.getElementById('player');"
            "player.currentTime = arguments[0]; player.play();",
            start,
        )

    def permit_microphone(self, setting: str) -> None:
        self.driver.execute_cdp_cmd(
            "Browser.setPermission",
            {"permission": {"name": "microphone"}, "setting": setting},
        )

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"{self.state}: {self.said()}"
            time.sleep(0.03)

    def text(self, id: str) -> str:
        return self.driver.find_element("id", id).text

    def said(self) -> str:
        return " ".join(self.text(id) for id in ("source", "notice", "fault"))

    @property
    def state(self) -> str:
        return self._of("document.documentElement.dataset.state")

    @property
    def scene(self) -> str:
        """Label of the class that is shown as the most probable one."""
        return self._of("document.getElementById('scene').dataset.label")

    @property
    def probabilities(self) -> np.ndarray:
        meters = "[...document.querySelectorAll('#classes [role=meter]')]"
        return np.array(self._of(f"{meters}.map(meter => Number(meter.ariaValueNow))"))

    def _of(self, expression: str):
        return self.driver.execute_script(f"return {expression}")

    def screenshot(self, path: Path, width: int, height: int, *, dark: bool = False) -> None:
        """Of the whole page at a width."""
        for command, values in (
            (
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 600},
            ),
            (
                "Emulation.setEmulatedMedia",
                {
                    "features": [
                        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                        {"name": "prefers-reduced-motion", "value": "reduce"},
                    ]
                },
            ),
        ):
            self.driver.execute_cdp_cmd(command, values)
        time.sleep(0.3)  # the strips are drawn anew
        self.driver.save_screenshot(str(path))
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def errors(self) -> list[str]:
        """Errors in the console since the last call."""
        return [entry["message"] for entry in self.log("browser") if entry["level"] == "SEVERE"]

    def log(self, kind: str) -> list[dict]:
        return self.driver.get_log(kind)
