"""What the centre exports of an account at a connectivity platform, for scenarios."""

from __future__ import annotations

from dataclasses import dataclass

from tests.rules.yard import ALWAYS, Centre, Labels, Read, Series, Spans, Value, _made, centre_labels, inside

HOUR, DAY = 3600.0, 86400.0
Sample = tuple[str, Labels, Read]
# Labels of these have no account.
OF_TERMINALS = (
    "router_interface_receive_bytes_total",
    "router_interface_transmit_bytes_total",
    "standby_left_bytes",
    "standby_headroom_least_seconds",
    "terminal_unstaffed_until_timestamp_seconds",
    "standby_throughput_bytes_per_second",
    "standby_throughput_timestamp_seconds",
    "terminal_usual_load_bytes_per_second",
    "truck_last_moved_timestamp_seconds",
)


@dataclass(frozen=True)
class Platform:
    """An account and the samples of its SIMs. `answers` is when its collections succeed."""

    samples: tuple[Sample, ...]
    answers: Spans = ALWAYS
    listed: Spans = ALWAYS
    account: str = "thingspace"
    fleet: str = "inland-haul"
    # When another host takes over; the old one's series end.
    moved: float | None = None

    def series(self, centre: Centre, end: float) -> Series:
        for instance in centre.instances:
            hosts = [(instance, (0.0, 1e12))]
            if self.moved is not None:
                hosts = [(instance, (0.0, self.moved)), (f"moved-{instance}", (self.moved, 1e12))]
            for host, span in hosts:
                yield from self._of(host, span, centre, end)

    def _of(self, host: str, span: tuple[float, float], centre: Centre, end: float) -> Series:
        where = {**centre_labels(host), "fleet": self.fleet}
        account = {**where, "account": self.account}

        def said(read: Read) -> Read:
            def value(at: float) -> Value:
                here = span[0] <= at < span[1] and centre.lists(self.fleet, at)
                return read(at) if here and inside(self.listed, at) is not None else None

            return value

        thresholds = {
            "sim_silent_after_seconds": 3 * DAY,
            "usage_drift_limit_ratio": 0.15,
            "usage_late_after_seconds": 24 * HOUR,
        }
        for name, limit in thresholds.items():
            yield from _made(name, account, said(lambda at, limit=limit: limit), end)
        poll = {**account, "poll": "cellular/sims"}
        yield from _made("poll_success", poll, said(lambda at: float(inside(self.answers, at) is not None)), end)
        yield from _made("poll_last_success_timestamp_seconds", poll, said(self._last), end)
        yield from _made("poll_due_timestamp_seconds", poll, said(lambda at: self._last(at) + 2 * DAY), end)
        for name, labels, read in self.samples:
            own = where if name in OF_TERMINALS else account
            yield from _made(name, {**own, **labels}, said(read), end)

    def _last(self, at: float) -> float:
        if inside(self.answers, at) is not None:
            return at
        return max((until for _, until in self.answers if until <= at), default=0.0)
