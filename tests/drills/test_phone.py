"""The drill on a phone: in real Chromium at a phone's size, by touch, by keyboard, without script, and on bad Wi-Fi."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("selenium")
pytestmark = pytest.mark.needs("chromium", "chromedriver")

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from tests.drills.phone import Phone, axe  # noqa: E402
from tests.drills.rehearsal import REFUSED, TOKEN, Box  # noqa: E402

from yardlight.drills.session import Live  # noqa: E402

Eventually = Callable[..., object]


@pytest.fixture
def link(port: int) -> str:
    return f"http://127.0.0.1:{port}/drills/go/{TOKEN}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    made = Phone(tmp_path_factory.mktemp("phone"))
    yield made
    made.close()


@pytest.fixture
def phone(browser: Phone) -> Iterator[Phone]:
    """A phone that knows nothing yet; whatever its browser complained about fails the test."""
    browser.driver.delete_all_cookies()
    browser.driver.get_log("browser")
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.driver.get("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drill_is_done_by_touch_and_no_screen_has_anything_that_axe_finds_wrong(
    box: Box, link: str, phone: Phone, scheme: str
) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    phone.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    phone.driver.get(link)
    assert axe(phone) == []
    phone.open(link)
    for heading, press in (
        ("Ready to start?", "Start the drill"),
        ("Pull the fiber cable", "Cable pulled"),
        ("Wait for LTE", ""),
        ("Does dispatch open?", "Yes, it opens"),
        ("Plug the cable back in", "Cable is back in"),
        ("The drill passed", ""),
    ):
        phone.shows(heading)
        assert axe(phone) == []
        if press:
            phone.press(press)
        elif heading == "Wait for LTE":
            box.do("yard", "on-standby")
    assert "Every criterion was met." in phone.text
    assert phone.buttons() == []
    pressed = (("approve", "approve"), ("cut", "done"), ("dispatch", "yes"), ("restore", "done"))
    assert box.session.presses == [(*each, "Maria Lopez", "") for each in pressed]
    assert phone.complaints() == []


def test_the_yard_as_it_is_now_is_shown_and_said_without_a_new_screen(
    box: Box, link: str, phone: Phone, eventually: Eventually
) -> None:
    phone.open(link)
    phone.press("Start the drill")
    phone.shows("Pull the fiber cable")
    box.session.seen = Live("Fiber is down; LTE carries the yard", 1.0)
    eventually(lambda: "Fiber is down; LTE carries the yard" in phone.text, within=15)
    heard = phone.tree()
    assert ("heading", "Pull the fiber cable") in heard
    assert ("button", "Cable pulled") in heard
    assert ("button", "Stop and restore") in heard
    assert ("progressbar", "Step 1 of 4") in heard
    assert {"status", "timer", "main", "banner", "region"} <= {role for role, _ in heard}


def test_a_drill_is_done_by_keyboard_alone(box: Box, link: str, phone: Phone) -> None:
    driver = phone.driver

    def on(label: str) -> None:
        for _ in range(12):
            driver.switch_to.active_element.send_keys(Keys.TAB)
            if driver.switch_to.active_element.text == label:
                outline = driver.switch_to.active_element.value_of_css_property("outline-width")
                assert float(outline.removesuffix("px")) >= 3, "where the keyboard is must be seen"
                return
        pytest.fail(f"the keyboard does not get to {label}")

    def enter(label: str, then: str) -> None:
        on(label)
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        phone.shows(then)
        assert driver.switch_to.active_element.tag_name == "h1", "a new screen is read from its heading"

    driver.get(link)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    driver.switch_to.active_element.send_keys("Maria", Keys.ENTER)
    phone.shows("Ready to start?")
    enter("Start the drill", "Pull the fiber cable")
    enter("Cable pulled", "Wait for LTE")
    box.do("yard", "on-standby")
    phone.shows("Does dispatch open?")
    enter("Yes, it opens", "Plug the cable back in")
    enter("Cable is back in", "The drill passed")
    assert len(box.session.presses) == 4


@pytest.mark.parametrize(("width", "bigger"), [(390, 1.0), (320, 1.0), (390, 2.0)])
def test_nothing_is_cut_off_and_every_button_is_as_large_as_a_thumb(
    link: str, phone: Phone, width: int, bigger: float
) -> None:
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    phone.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    phone.open(link)
    phone.press("Start the drill")
    phone.shows("Pull the fiber cable")
    phone.driver.execute_script(f"document.documentElement.style.fontSize = '{100 * bigger}%'")
    assert phone.driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    sizes = [button.size for button in phone.driver.find_elements(By.TAG_NAME, "button")]
    assert len(sizes) == 2
    assert all(size["height"] >= 56 and size["width"] >= 250 for size in sizes)


def test_a_press_while_the_wifi_is_away_arrives_once_when_it_is_back(
    box: Box, link: str, phone: Phone, eventually: Eventually
) -> None:
    phone.open(link)
    phone.press("Start the drill")
    phone.shows("Pull the fiber cable")
    gone = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    phone.driver.execute_cdp_cmd("Network.enable", {})
    phone.driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone)
    phone.press("Cable pulled")
    eventually(lambda: "No contact with the box in the yard" in phone.text, within=30)
    assert ("cut", "done", "Maria Lopez", "") not in box.session.presses
    here = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    phone.driver.execute_cdp_cmd("Network.emulateNetworkConditions", here)
    phone.shows("Wait for LTE")
    eventually(lambda: "No contact" not in phone.text, within=15)
    assert box.session.presses.count(("cut", "done", "Maria Lopez", "")) == 1


def test_what_happens_in_the_yard_while_the_wifi_is_away_is_shown_when_it_is_back(
    box: Box, link: str, phone: Phone, eventually: Eventually
) -> None:
    phone.open(link)
    phone.press("Start the drill")
    phone.shows("Pull the fiber cable")
    phone.driver.execute_cdp_cmd("Network.enable", {})
    gone = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    phone.driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone)
    eventually(lambda: "No contact with the box in the yard" in phone.text, within=30)
    box.do("go", phase="over", step="over", heading="aborted", buttons=(), result="aborted",
           why="the yard was dark for too long")  # fmt: skip
    here = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    phone.driver.execute_cdp_cmd("Network.emulateNetworkConditions", here)
    phone.shows("The drill was stopped")
    assert "The yard was dark for too long." in phone.text


def test_stop_and_restore_is_on_every_screen_while_something_is_cut(box: Box, link: str, phone: Phone) -> None:
    phone.open(link)
    phone.press("Start the drill")
    phone.shows("Pull the fiber cable")
    phone.press("Cable pulled")
    phone.shows("Wait for LTE")
    assert phone.buttons() == ["Stop and restore"]
    phone.press("Stop and restore")
    phone.shows("The drill was stopped")
    assert box.session.presses[-1][:2] == ("on-standby", "stop")


def test_an_override_needs_a_reason(box: Box, link: str, phone: Phone, eventually: Eventually) -> None:
    async def refused() -> None:
        box.session.now_on = REFUSED

    box.run(refused())
    phone.open(link)
    phone.shows("The drill cannot start")
    assert axe(phone) == []
    assert "no name was resolved over it" in phone.text
    phone.press("Start all the same")
    assert box.session.presses == []
    phone.driver.find_element(By.ID, "reason").send_keys("The SIM was changed an hour ago")
    phone.press("Start all the same")
    eventually(lambda: box.session.presses)
    assert box.session.presses == [("refused", "override", "Maria Lopez", "The SIM was changed an hour ago")]


def test_a_second_phone_may_take_the_drill_over_and_the_first_is_told(
    box: Box, link: str, phone: Phone, tmp_path: Path, eventually: Eventually
) -> None:
    phone.open(link)
    phone.press("Start the drill")
    phone.shows("Pull the fiber cable")
    other = Phone(tmp_path / "other")
    try:
        other.open(link, "Sam")
        assert "open on another phone" in other.text
        other.press("Use this phone instead")
        other.press("Cable pulled")
        other.shows("Wait for LTE")
        phone.shows("No drill here")
    finally:
        other.close()
    assert [press[2] for press in box.session.presses] == ["Maria Lopez", "Sam"]


def test_what_a_playbook_says_is_text_and_never_markup(box: Box, link: str, phone: Phone) -> None:
    box.do("go", heading="<b>Pull</b> it", text="<script>document.title = 'taken'</script>", buttons=())
    phone.open(link)
    phone.shows("<b>Pull</b> it")
    assert phone.driver.title.startswith("<b>Pull</b>")
