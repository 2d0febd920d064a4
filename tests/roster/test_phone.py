"""A truck's page in real Chromium at a phone's size: found by touch, readable, and old shown as old."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("selenium")
pytestmark = pytest.mark.needs("chromium", "chromedriver")

from selenium.webdriver.common.by import By  # noqa: E402

from tests.drills.phone import Phone, axe  # noqa: E402


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    made = Phone(tmp_path_factory.mktemp("phone"))
    yield made
    made.close()


@pytest.fixture
def phone(browser: Phone) -> Iterator[Phone]:
    browser.driver.get_log("browser")
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.driver.get("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_truck_is_found_by_touch_and_axe_finds_nothing_wrong(port: int, phone: Phone, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    phone.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    phone.driver.get(f"http://127.0.0.1:{port}/truck")
    assert axe(phone) == []
    phone.wait(lambda: phone.driver.find_element(By.ID, "q").send_keys("T112") is None)
    phone.press("Show")
    phone.shows("Truck 112")
    assert axe(phone) == []
    assert phone.complaints() == []
    heard = phone.tree()
    assert ("heading", "Tablet T112") in heard
    assert ("link", "Another truck") in heard


@pytest.mark.parametrize(("width", "bigger"), [(390, 1.0), (320, 1.0), (390, 2.0)])
def test_nothing_is_cut_off_and_what_is_old_is_not_shown_as_fresh(
    port: int,
    phone: Phone,
    width: int,
    bigger: float,
) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    phone.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    phone.driver.get(f"http://127.0.0.1:{port}/truck/112")
    phone.shows("Truck 112")
    phone.driver.execute_script(f"document.documentElement.style.fontSize = '{100 * bigger}%'")
    assert phone.driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    [old] = phone.driver.find_elements(By.CSS_SELECTOR, ".asof.old")
    assert old.text.startswith("OLD: as of ")
    assert ("10 h" in old.text, old.text.endswith("ago, cellular/sims")) == (True, True)
    assert "2 h" in phone.text
