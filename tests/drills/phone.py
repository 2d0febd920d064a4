"""A phone: headless Chromium of its size, what is on its screen, and presses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

_BETWEEN_PAGES = (NoSuchElementException, StaleElementReferenceException)
# Who only reads may ask again whatever the browser says of a page that is just being replaced.
_READING = (WebDriverException,)


class Phone:
    """Chromium without a window, 390 x 844 as a phone's; what is on its screen, and presses."""

    def __init__(self, folder: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--disable-background-networking", "--no-first-run", f"--user-data-dir={folder}"):  # fmt: skip
            options.add_argument(argument)
        options.add_experimental_option("mobileEmulation", {
            "deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": True},
        })  # fmt: skip
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(60)

    def open(self, address: str, who: str = "Maria Lopez") -> None:
        """Open a link as a person does."""
        self.driver.get(address)
        self.wait(lambda: self.driver.find_element(By.ID, "who").send_keys(who) is None)
        self.press("Open the drill")

    def press(self, label: str) -> None:
        """Tap the button with these words, once it is there."""
        self.wait(lambda: self.tap(label) is None)

    def tap(self, label: str) -> None:
        """The same, for a button that must be there now."""
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()

    def shows(self, heading: str) -> None:
        """Wait until this is the heading."""
        WebDriverWait(self.driver, 30, 0.1, _READING).until(lambda _: self.heading == heading)

    def wait(self, check: Callable[[], bool]) -> None:
        """Until it holds; a page that is just being replaced may answer with anything."""
        WebDriverWait(self.driver, 30, 0.1, _BETWEEN_PAGES).until(lambda _: check())

    def buttons(self) -> list[str]:
        return [button.text for button in self.driver.find_elements(By.TAG_NAME, "button")]

    def glance(self) -> tuple[str, list[str]]:
        """Heading and buttons at one moment, whatever is being replaced."""
        found = self.driver.execute_script(
            "return [document.querySelector('h1')?.textContent ?? '',"
            " [...document.querySelectorAll('button')].map((each) => each.textContent)]"
        )
        return found[0], found[1]

    @property
    def heading(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "h1").text

    @property
    def text(self) -> str:
        """All that is to be read, once the page is there."""
        body = WebDriverWait(self.driver, 30, 0.1, _READING)
        found: str = body.until(lambda driver: driver.find_element(By.TAG_NAME, "body").text)
        return found

    def complaints(self) -> list[str]:
        """What the browser itself has to say: refused by the policy, scripts that failed."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def tree(self) -> list[tuple[str, str]]:
        """Role and name of each node that a screen reader meets."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored") and "role" in node
        ]

    def picture(self, file: Path) -> None:
        file.write_bytes(self.driver.get_screenshot_as_png())

    def close(self) -> None:
        self.driver.quit()


def axe(phone: Phone) -> list[str]:
    """What axe-core finds wrong with the page, WCAG 2.1 A and AA and good practice."""
    found = Axe().run(phone.driver)
    return [
        f"{each['id']}: {each['help']} {json.dumps([node['target'] for node in each['nodes']])}"
        for each in found["violations"]
    ]
