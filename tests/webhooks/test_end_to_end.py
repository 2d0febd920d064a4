"""F24 from a vendor to who is told: real polls and the shipped rules over hours, and calls that stay away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from tests.feeds.days import Days
from tests.feeds.test_end_to_end import NOON
from tests.living import HOUR, MINUTE
from tests.webhooks.world import KEY, event, signed
from yardlight.exposition import AnyBlock
from yardlight.webhooks.receiver import Receivers

pytestmark = pytest.mark.needs("promtool")
HOOKED = """\
webhooks:
  events:
    {account: hooks, secret_files: hook, feed: gps, silent_after: 2h, expected: weekdays, shows: Events of trucks}"""


class Called(Days):
    """A vendor whose trucks are polled, and that calls each minute while `calls`."""

    def __enter__(self) -> Self:
        super().__enter__()
        (self.folder / "hook").write_text(KEY, encoding="utf-8")
        self.calls, self.key, self.more = True, KEY, HOOKED
        self.accounts = "  hooks: {platform: samsara, token_file: hook}"
        self.receivers = Receivers(self.fleet, self.state, self.clock.time)
        return self

    def page(self) -> list[AnyBlock]:
        self.receivers.use(self._fleet)
        receiver = self.receivers.find("events")
        assert receiver is not None
        now = self.clock.time()
        body = event(f"{now:.0f}")
        if self.calls:
            refused = receiver.take(body, signed(body, self.key, now))
            assert refused == (None if self.key == KEY else "signature")
            receiver.shown = receiver.counts()
        return [*super().page(), *self.receivers.blocks()]

    def switch(self, calls: bool, key: str = KEY) -> None:
        """It calls from now on or not, and signs with this."""
        self.calls, self.key = calls, key


@contextmanager
def called(folder: Path, step: float = MINUTE) -> Iterator[Called]:
    with Called(folder, NOON, step=step) as days:
        days.poll = "5m"
        yield days


def test_f24_a_webhook_that_is_silent_for_two_hours_while_polling_shows_new_records_is_told(tmp_path: Path) -> None:
    with called(tmp_path, 2 * MINUTE) as days:
        days.at(NOON + 30 * MINUTE, lambda: days.switch(False))
        days.at(NOON + 3 * HOUR, lambda: days.switch(True))
        days.until(NOON + 3.5 * HOUR)
    told, [words] = days.told(("WebhookSilent", NOON + 2.8 * HOUR))
    [(alert, when)] = told.items()
    assert (alert.what.split()[:3], alert.audience) == (["ticket", "WebhookSilent", "events"], "noc")
    # The last call, two hours, a collection of the feed, and the time that it takes to notice.
    assert NOON + 148 * MINUTE <= when.first <= NOON + 160 * MINUTE
    assert NOON + 3 * HOUR - 4 * MINUTE <= when.last <= NOON + 3 * HOUR + 4 * MINUTE
    # The history begins with the epoch.
    assert re.fullmatch(
        r"Fleet inland: hooks has not called since Wed 4:28 PM \(Events of trucks\), while gps has newer records. "
        r"What waits for these calls learns nothing.",
        words["summary"],
    )


def test_f24_a_vendor_that_signs_with_another_secret_is_silent_and_the_ticket_says_why(tmp_path: Path) -> None:
    with called(tmp_path, 5 * MINUTE) as days:
        days.at(NOON + 30 * MINUTE, lambda: days.switch(True, "b3RoZXI="))
        days.until(NOON + 3 * HOUR)
    told, [words] = days.told(("WebhookSilent", NOON + 2.8 * HOUR))
    assert len(told) == 1
    assert "calls were refused. What waits" in words["summary"]
    assert "Refused (signature): 2" in words["description"]


def test_f24_nothing_is_told_while_polling_shows_nothing_new_either(tmp_path: Path) -> None:
    with called(tmp_path, 5 * MINUTE) as days:
        days.at(NOON + 30 * MINUTE, lambda: days.switch(False))
        days.at(NOON + 35 * MINUTE, lambda: days.telematics.switch("stale"))
        days.until(NOON + 3 * HOUR)
    told, _ = days.told()
    assert {alert.what.split()[1] for alert in told} == {"FeedStale"}
