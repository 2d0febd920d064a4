"""A yard as the exporters would export it: what really happened in, samples as promtool reads them out.

All times are seconds from the start of the scenario, which is 1970-01-01T00:00Z for promtool. Only series that a
yard and a centre really export are made, with every state as 0 or 1 and the labels of whoever scraped them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, groupby

Spans = tuple[tuple[float, float], ...]
Labels = dict[str, str]
Value = float | None
Read = Callable[[float], Value]
Series = Iterator[tuple[str, str]]

TERMINAL_STATES = ("primary", "standby", "dark", "unknown")
UPLINK_STATES = ("up", "degraded", "down", "unknown")
DRILL_RESULTS = ("pass", "fail", "aborted", "refused", "partial")
TARGETS = ("198.51.100.1", "198.51.100.2", "203.0.113.53")
# Hundreds of hours before the start: states that began then are old whatever the rule waits for.
LONG_AGO = -3 * 86400.0
STEP = 5.0
LOSS = 0.15
ALWAYS: Spans = ((0.0, 1e9),)
# No sample arrives and no failed scrape says so: a yard that sends by itself and is cut off.
CUT_OFF = float("inf")


def inside(spans: Spans, at: float) -> float | None:
    """The start of the span that holds `at`, if one does."""
    for start, end in spans:  # asked some twenty million times: a generator would be most of the cost
        if start <= at < end:
            return start
    return None


@dataclass(frozen=True)
class Line:
    """One uplink: when its path was dead, lossy or not its own; `verdict` and `recover` are the exporter's delays."""

    role: str = "primary"
    medium: str = "fiber"
    isp: str = "Frontier"
    circuit: str = "12/KRFN/004"
    support: str = "+1 800 555 0199"
    dead: Spans = ()
    degraded: Spans = ()
    unpinned: Spans = ()
    absent: Spans = ()
    dead_target: Spans = ()
    verdict: float = 3.0
    recover: float = 5.0
    outside: bool = False
    # When required checks beyond the path were asked for in vain, by check, and when none was asked at all.
    failing: dict[str, Spans] = field(default_factory=dict)
    unasked: Spans = ()
    # How much of what its next hop is asked that one never answers, whatever the line does; 1 for nothing ever.
    deaf_hop: float = 0.0

    def state(self, at: float) -> tuple[str, float]:
        """The exporter's verdict and since when: for down, since the last answered probe."""
        if (since := inside(self.absent, at)) is not None or (since := inside(self.unpinned, at)) is not None:
            return "unknown", since
        for start, end in self.dead:
            if start + self.verdict <= at < end + self.recover:
                return "down", start
        if (since := inside(self.degraded, at)) is not None:
            return "degraded", since
        ends = [end + self.recover for _, end in self.dead] + [end for _, end in self.degraded + self.unpinned]
        return "up", max((end for end in ends if end <= at), default=LONG_AGO)

    def gaps(self, at: float, longest: float = float("inf")) -> int:
        """Finished silences of at most `longest` seconds, counted since the state file was made."""
        return sum(end <= at and end - start <= longest for start, end in self.dead)


@dataclass(frozen=True)
class Service:
    """A thing the yard works with: when it failed, by path (default, centre or an uplink), why, and when it was slow.

    A failure is believed after `verdict` seconds, and so is its end. `every` is how often it is asked over the uplinks
    (0: all the time), `good_before` how long before a failure it last worked over the default path.
    """

    name: str = "dispatch"
    fails: dict[str, Spans] = field(default_factory=dict)
    reason: str = "connect_timeout"
    slow: Spans = ()
    verdict: float = 10.0
    every: float = 0.0
    good_before: float = 0.0

    def works(self, path: str, at: float) -> tuple[bool, float]:
        """What the exporter says of it over this path, and since when."""
        spans = self.fails.get(path, ())
        for start, end in spans:
            if start + self.verdict <= at < end + self.verdict:
                return False, start
        return True, max((end for _, end in spans if end + self.verdict <= at), default=LONG_AGO)


@dataclass(frozen=True)
class Drill:
    """Drills of one playbook: the one that runs in `runs` (its alerts resolved at the end), and what came of it.

    `due` is what the centre says from the moment on, `due_there` what the terminal's box says; `result` is of the
    newest drill, which ended at `ended`, and `passed` is when the newest that passed did.
    """

    playbook: str = "quarterly-wan-failover"
    runs: Spans = ()
    deadline: float = 600.0
    abort_after: float = 120.0
    due: tuple[tuple[float, float], ...] = ()
    due_there: float | None = None
    remind_before: float = 300.0
    asked: bool = True
    result: str | None = None
    ended: float = LONG_AGO
    passed: float | None = None

    def due_at(self, at: float) -> Value:
        """By when the next pass is due, as the centre says at this moment."""
        return next((due for start, due in reversed(self.due) if start <= at), None)


@dataclass(frozen=True)
class Router:
    """What the yard's router says, and when it is wrong or keeps silent."""

    silent: Spans = ()
    reason: str = "timeout"
    # When its word is that of the first line whatever is true, and from when it has started anew.
    lies: Spans = ()
    booted: tuple[float, ...] = ()
    # By value: what the modem of the standby says, from so many seconds on.
    signal: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    # When a setting is not what it should be.
    drifted: Spans = ()
    # Seconds until two words have been heard after each change.
    compares: float = 15.0


FIBER = Line()
LTE = Line(role="standby", medium="lte", isp="Verizon", circuit="", support="", verdict=6.0)


@dataclass(frozen=True)
class Host:
    """One process that measures the terminal: when it ran, under which name it was scraped."""

    instance: str = "10.10.0.21:10480"
    runs: Spans = ALWAYS
    # Seconds after its start in which it knows nothing yet.
    blank: float = 0.0
    # True: it is gone without a failed scrape to say so, and its last words stay visible for minutes.
    lingers: bool = False


@dataclass(frozen=True)
class Yard:
    """One terminal: its lines, which of them the router used, and how measurements came to the centre."""

    fleet: str = "inland-haul"
    name: str = "fontana"
    lines: dict[str, Line] = field(default_factory=lambda: {"fiber": FIBER, "lte": LTE})
    service: Service | None = None
    drill: Drill | None = None
    path: tuple[tuple[float, str], ...] = ()
    hosts: tuple[Host, ...] = (Host(),)
    # Measurements arrive by another way, or over the path the router uses; then they stop with it.
    own_way: bool = True
    # False: only pinned probes are lost, the router's own traffic passes.
    dead_path: bool = True
    # False: which uplink carries cannot be told, so the state is unknown whenever it is not dark.
    path_known: bool = True
    skew: tuple[tuple[float, float], ...] = ()
    stage: str = "live"
    on_failover: str = "ticket"
    switch_within: float = 60.0
    peak: Spans | None = None
    maintenance: dict[str, Spans] = field(default_factory=dict)
    listed: Spans = ALWAYS
    outside: Spans | None = None
    offset: float = -28800.0
    router: Router | None = None
    # Bytes that probing may put on a standby in a period, and from when it has put how many.
    budget: float | None = None
    passed: tuple[tuple[float, float], ...] = ()
    max_proof_age: float = 86400.0
    # Beyond path, and dns and https where there is a service.
    required: tuple[str, ...] = ()

    def checks(self) -> tuple[str, ...]:
        """What a standby must pass here."""
        return ("path", *(("dns", "https") if self.service is not None else ()), *self.required)

    def carrier(self, at: float) -> str:
        """The uplink that the router uses."""
        first = next(iter(self.lines))
        return next((name for start, name in reversed(self.path) if start <= at), first)

    def dark(self, at: float) -> float | None:
        """Since when the default path is silent; at once after a second without an answer."""
        dead = inside(self.lines[self.carrier(at)].dead, at)
        moved = max((start for start, _ in self.path if start <= at), default=LONG_AGO)
        if dead is None or not self.dead_path:
            return None
        # Moving from one dead line to another is one silence.
        before = inside(self.lines[self.carrier(moved - 1)].dead, moved - 1) if moved > 0 else None
        return (before if before is not None and dead < moved else dead) if at - dead >= 1 else None

    def state(self, at: float) -> tuple[str, float]:
        if (since := self.dark(at)) is not None:
            return "dark", since
        role = self.lines[self.carrier(at)].role
        ends = [end for line in self.lines.values() for _, end in line.dead]
        moves = [start for start, _ in self.path]
        state = role if self.path_known else "unknown"
        return state, max((moment for moment in ends + moves if moment <= at), default=LONG_AGO)

    def outage(self, at: float) -> tuple[float, float] | None:
        """Length and end of the newest finished silence of the default path."""
        ends = [(end, end - start) for line in self.lines.values() for start, end in line.dead if end <= at]
        if not ends or self.dark(at) is not None:
            return None
        end, seconds = max(ends)
        return seconds, end

    def heard(self, at: float) -> bool:
        return self.own_way or inside(self.lines[self.carrier(at)].dead, at) is None


@dataclass(frozen=True)
class Centre:
    """Who exports the inventory: two instances export every threshold twice."""

    instances: tuple[str, ...] = ("centre:10480",)
    runs: Spans = ALWAYS
    # When a fleet is not among those it exports, when a reload was refused, nothing could be written, a poll failed.
    without: dict[str, Spans] = field(default_factory=dict)
    refused: Spans = ()
    unwritable: Spans = ()
    failing: Spans | None = None
    # Why collections of the account fail.
    reason: str = "server_error"
    service: Service | None = None

    def lists(self, fleet: str, at: float) -> bool:
        return inside(self.runs, at) is not None and inside(self.without.get(fleet, ()), at) is None

    def process(self, instance: str, fleet: str, end: float) -> Series:
        """What the exporter says about itself, once per fleet."""
        labels = {**centre_labels(instance), "fleet": fleet}

        def made(name: str, labels: Labels, read: Read) -> Series:
            return _made(name, labels, lambda at: read(at) if self.lists(fleet, at) else None, end)

        yield from made("clock_timestamp_seconds", {**labels, "terminal": ""}, lambda at: at)
        yield from made("config_last_reload_successful", labels, lambda at: float(inside(self.refused, at) is None))
        yield from made("state_writable", labels, lambda at: float(inside(self.unwritable, at) is None))
        if (service := self.service) is not None:
            seen = {**labels, "service": service.name, "terminal": "", "uplink": "centre"}
            yield from made("service_up", seen, lambda at: float(service.works("centre", at)[0]))
        if (failing := self.failing) is not None:
            yield from made("account_info", {**labels, "account": "graph", "platform": "intune"}, lambda at: 1.0)
            poll = {**labels, "account": "graph", "poll": "mdm/tablets"}
            yield from made("poll_last_success_timestamp_seconds", poll, lambda at: _collected(failing, at))
            # Each ten minutes, within a minute.
            yield from made("poll_due_timestamp_seconds", poll, lambda at: _collected(failing, at) + 1260)
            for reason in ("server_error", "incomplete"):
                fails = {**poll, "reason": reason}
                yield from made("poll_failed", fails, partial(self._fails, reason, failing))

    def _fails(self, reason: str, failing: Spans, at: float) -> float:
        return float(reason == self.reason and _collected(failing, at) < at // 600 * 600)


def _collected(failing: Spans, at: float) -> float:
    """When the last collection before `at` was complete, of one each ten minutes."""
    return max(moment for moment in range(0, int(at) + 1, 600) if inside(failing, moment) is None)


def line(name: str, labels: Labels) -> str:
    """A series as promtool and Prometheus write it."""
    return name + "{" + ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"


def measured(yards: tuple[Yard, ...], end: float) -> Series:
    """What the yards' own exporters say, with its values from 0 to `end` seconds."""
    for yard in yards:
        for host in yard.hosts:
            yield from _Process(yard, host, end).series()


def series(yards: tuple[Yard, ...], centre: Centre, end: float) -> Series:
    """Every series of the scenario with its values, from 0 to `end` seconds."""
    yield from measured(yards, end)
    for instance in centre.instances:
        for fleet in sorted({yard.fleet for yard in yards}):
            yield from centre.process(instance, fleet, end)
        for yard in yards:
            yield from _Inventory(yard, instance, centre, end).series()


def _made(name: str, labels: Labels, read: Read, end: float) -> Series:
    if (values := _render(read, end)) is not None:
        yield line(f"yardlight_{name}", labels), values


def _render(read: Read, end: float) -> str | None:
    """promtool's notation of `read` at every step; a series that ends is marked stale, as a failed scrape does."""
    steps = [read(index * STEP) for index in range(int(end / STEP) + 1)]
    if all(value is None for value in steps):
        return None
    before = [None, *steps]
    return " ".join(_squeeze([_word(value, last) for value, last in zip(steps, before, strict=False)]))


def _word(value: Value, before: Value) -> str:
    if value is None and before is not None:
        return "stale"
    return "_" if value is None or value == CUT_OFF else _number(value)


def _squeeze(words: list[str]) -> Iterator[str]:
    """1 1 1 as 1x2, and 5 10 15 as 5+5x2."""
    numbers: list[str] = []
    for word, same in groupby(words):
        count = len(list(same))
        if word == "stale":
            yield from _slope(numbers)
            numbers = []
            yield "stale"
        elif word == "_" or count > 1:
            yield from _slope(numbers)
            numbers = []
            yield word if count == 1 else f"_x{count}" if word == "_" else f"{word}x{count - 1}"
        else:
            numbers.append(word)
    yield from _slope(numbers)


def _slope(numbers: list[str]) -> Iterator[str]:
    index = 0
    while index < len(numbers):
        start = float(numbers[index])
        last = index
        rise = float(numbers[index + 1]) - start if index + 1 < len(numbers) else 0.0
        while last + 1 < len(numbers) and float(numbers[last + 1]) - float(numbers[last]) == rise:
            last += 1
        if last - index >= 2:
            yield f"{numbers[index]}{'-' if rise < 0 else '+'}{_number(abs(rise))}x{last - index}"
            index = last + 1
        else:
            yield numbers[index]
            index += 1


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class _Process:
    """One exporter of a yard: what it says at any time, for as long as it runs and is heard."""

    yard: Yard
    host: Host
    end: float

    @property
    def place(self) -> Labels:
        return {"fleet": self.yard.fleet, "instance": self.host.instance, "job": "yardlight"}

    @property
    def where(self) -> Labels:
        return {**self.place, "terminal": self.yard.name}

    def made(self, name: str, labels: Labels, read: Read) -> Series:
        def arrives(at: float) -> Value:
            if inside(self.host.runs, at) is None:
                return CUT_OFF if self.host.lingers else None
            return read(at) if self.yard.heard(at) else CUT_OFF

        return _made(name, labels, arrives, self.end)

    def skew(self, at: float) -> float:
        return next((ahead for start, ahead in reversed(self.yard.skew) if start <= at), 0.0)

    def blank(self, at: float) -> float | None:
        """The start of the process while it knows nothing yet."""
        start = inside(self.host.runs, at)
        return start if start is not None and at < start + self.host.blank else None

    def state(self, at: float) -> tuple[str, float]:
        return ("unknown", start) if (start := self.blank(at)) is not None else self.yard.state(at)

    def series(self) -> Series:
        yield from self.made("clock_timestamp_seconds", self.where, lambda at: at + self.skew(at))
        yield from self.made("config_last_reload_successful", self.place, lambda _: 1)
        yield from self.made("state_writable", self.place, lambda _: 1)
        for state in TERMINAL_STATES:
            yield from self.terminal_state(state)
        yield from self.made(
            "terminal_state_since_timestamp_seconds", self.where, lambda at: self.state(at)[1] + self.skew(at)
        )
        for index, name in enumerate(("terminal_last_outage_seconds", "terminal_last_outage_end_timestamp_seconds")):

            def outage(at: float, index: int = index) -> Value:
                found = self.yard.outage(at)
                return None if found is None else found[index] + index * self.skew(at)

            yield from self.made(name, self.where, outage)
        probed = {**self.where, "target": TARGETS[0]}
        yield from self.made("default_path_probes_sent_total", probed, lambda at: at)
        yield from self.made("default_path_probes_lost_total", probed, _lost(self.yard.dark, self.end))
        for name, uplink in self.yard.lines.items():
            yield from self.line(uplink, {**self.where, "uplink": name})
        if self.yard.service is not None:
            for path in ("default", *self.yard.lines):
                yield from self.service(self.yard.service, path)
        elif self.yard.router is not None:
            for name in self.yard.lines:
                yield from self.carries(name)
        if self.yard.router is not None:
            yield from self.router(self.yard.router)
        if self.yard.drill is not None:
            yield from self.drill(self.yard.drill)

    def router(self, router: Router) -> Series:
        """What the router says, as long as it answers; it needs `compares` seconds to be believed or found lying."""
        first, *_ = self.yard.lines

        def heard(at: float) -> bool:
            return inside(router.silent, at) is None and self.blank(at) is None

        def word(at: float) -> str:
            return first if inside(router.lies, at) is not None else self.yard.carrier(at)

        def differs(at: float) -> Value:
            if not heard(at) or self.yard.dark(at) is not None:
                return None
            before = at - router.compares
            return float(word(at) != self.yard.carrier(at) and word(before) != self.yard.carrier(before))

        def boot(at: float) -> float:
            return max((each for each in router.booted if each <= at and heard(at)), default=LONG_AGO)

        yield from self.made("router_up", self.where, lambda at: float(heard(at)))
        why = {**self.where, "reason": router.reason}
        yield from self.made("router_failure", why, lambda at: None if heard(at) else 1.0)
        yield from self.made("router_boot_timestamp_seconds", self.where, lambda at: boot(at) + self.skew(at))
        yield from self.made("terminal_path_disagreement", self.where, differs)
        yield from self.made("terminal_path_disagreements_total", self.where, lambda at: float(differs(at) or 0.0))
        for name in self.yard.lines:
            claimed = {**self.where, "uplink": name, "source": "claimed"}
            yield from self.made(
                "terminal_path", claimed, lambda at, n=name: float(word(at) == n) if heard(at) else None
            )
        for value, due in (("30", False), ("600", True)):
            setting = {**self.where, "setting": "ip sla 1 frequency", "value": value}
            yield from self.made(
                "router_setting", setting,
                lambda at, due=due: 1.0 if heard(at) and (inside(router.drifted, at) is not None) == due else None,
            )  # fmt: skip
            if not due:
                yield from self.made("router_setting_expected", setting, lambda at: 1.0 if heard(at) else None)
        modem = {**self.where, "modem": "modem 1", "uplink": "lte"}
        for value, said in router.signal.items():
            unit = "dbm" if value == "rsrp" else "db"

            def level(at: float, said: tuple[tuple[float, float], ...] = said) -> Value:
                return next((each for start, each in reversed(said) if start <= at), None) if heard(at) else None

            yield from self.made(f"modem_{value}_{unit}", modem, level)
            suspect = {**modem, "value": value}
            yield from self.made(
                "modem_value_suspect", suspect, lambda at, level=level: None if level(at) is None else 0
            )

    def drill(self, drill: Drill) -> Series:
        """The drill in progress, and the newest finished one."""
        labels = {**self.where, "playbook": drill.playbook}

        def running(read: Callable[[float], float]) -> Read:
            return lambda at: read(start) if (start := inside(drill.runs, at)) is not None else None

        yield from self.made("drill_in_progress", labels, lambda at: float(inside(drill.runs, at) is not None))
        yield from self.made("drill_since_timestamp_seconds", labels, running(lambda start: start))
        yield from self.made("drill_deadline_timestamp_seconds", labels, running(lambda start: start + drill.deadline))
        yield from self.made("drill_abort_after_seconds", labels, running(lambda _: drill.abort_after))
        if drill.due_there is not None:
            yield from self.made("drill_due_timestamp_seconds", labels, lambda _: drill.due_there)
        if drill.result is None:
            return

        def ended(read: float) -> Read:
            return lambda at: read if at >= drill.ended else None

        yield from self.made("drill_last_run_timestamp_seconds", labels, ended(drill.ended))
        for result in DRILL_RESULTS:
            yield from self.made(
                "drill_last_result", {**labels, "result": result}, ended(float(result == drill.result))
            )
        if drill.passed is not None:
            yield from self.made("drill_last_pass_timestamp_seconds", labels, ended(drill.passed))

    def service(self, service: Service, path: str) -> Series:
        """A service over one path, as long as that carries."""
        labels = {**self.where, "service": service.name, "uplink": path}

        def said(read: Read) -> Read:
            def known(at: float) -> Value:
                over = self.yard.carrier(at) if path == "default" else path
                alive = self.yard.lines[over].state(at)[0] in ("up", "degraded")
                return read(at) if alive and self.blank(at) is None else None

            return known

        def asked(at: float) -> float:
            return at // service.every * service.every if service.every and path != "default" else at

        def works(at: float) -> bool:
            return service.works(path, asked(at))[0]

        def since(at: float) -> float:
            return service.works(path, asked(at))[1] - (0.0 if works(at) else service.good_before)

        def failing_since(at: float) -> float | None:
            return None if works(at) else service.works(path, asked(at))[1] + service.verdict / 2

        slow = path == "default"
        yield from self.made("service_up", labels, said(lambda at: float(works(at))))
        yield from self.made("service_since_timestamp_seconds", labels, said(since))
        yield from self.made("service_last_probe_timestamp_seconds", labels, said(asked))
        yield from self.made("service_first_failure_timestamp_seconds", labels, said(failing_since))
        why = {**labels, "reason": service.reason}
        yield from self.made("service_failure", why, said(lambda at: None if works(at) else 1.0))
        yield from self.made(
            "service_response_seconds",
            labels,
            said(lambda at: (4.2 if slow and inside(service.slow, at) is not None else 0.2) if works(at) else None),
        )
        if path == "default":
            for name in self.yard.lines:
                yield from self.carries(name)
        elif self.yard.lines[path].role == "standby":
            for check in ("dns", "https", "service"):
                at_all = {**self.where, "uplink": path, "check": check}
                yield from self.made("standby_ready", at_all, said(self.asked(service, path, check)))
            proof = {**self.where, "uplink": path}
            asked = self.asked(service, path, "https")
            last = accumulate(
                (
                    at if asked(at) == 1 else LONG_AGO
                    for at in (STEP * each for each in range(int(self.end / STEP) + 1))
                ),
                max,
            )
            moments = list(last)
            yield from self.made("standby_proof_timestamp_seconds", proof, lambda at: moments[int(at / STEP)])

    def carries(self, name: str) -> Series:
        labels = {**self.where, "uplink": name, "source": "observed"}
        yield from self.made("terminal_path", labels, lambda at: float(self.yard.carrier(at) == name))

    def asked(self, service: Service, path: str, check: str) -> Read:
        """A check of a standby that stands on answers. What fails over every line says nothing about the standby."""
        line = self.yard.lines[path]

        def ready(at: float) -> Value:
            if inside(line.unasked, at) is not None:
                return None
            if inside(line.failing.get(check, ()), at) is not None:
                return 0.0
            if service.works(path, at)[0] or (check == "dns" and not service.reason.startswith("dns_")):
                return 1.0
            return 0.0 if service.works("default", at)[0] else None

        return ready

    def terminal_state(self, state: str) -> Series:
        labels = {**self.where, "state": state}
        yield from self.made("terminal_state", labels, lambda at: float(self.state(at)[0] == state))

    def line(self, uplink: Line, over: Labels) -> Series:
        def state(at: float) -> tuple[str, float]:
            return ("unknown", start) if (start := self.blank(at)) is not None else uplink.state(at)

        def pinned(at: float) -> Value:
            known = self.blank(at) is None and inside(uplink.absent, at) is None
            return float(inside(uplink.unpinned, at) is None) if known else None

        for word in UPLINK_STATES:
            yield from self.uplink_state(state, word, over)
        yield from self.made("uplink_state_since_timestamp_seconds", over, lambda at: state(at)[1] + self.skew(at))
        yield from self.made("uplink_pinned", over, pinned)
        if uplink.deaf_hop < 1:
            yield from self.made("uplink_segment_up", {**over, "segment": "next_hop"}, lambda _: 1)
        yield from self.made("uplink_segment_up", {**over, "segment": "isp"}, lambda at: float(state(at)[0] != "down"))
        if uplink.dead_target or (uplink.degraded and not uplink.dead):
            yield from self.made("uplink_segment_up", {**over, "segment": "far"}, lambda _: 1)
        if uplink.degraded and not uplink.dead:
            # Something is lost in the provider's network; its gateway, the next hop, answers everything.
            for target, segment, share in (("100.64.1.1", "next_hop", 0.0), ("192.0.2.1", "isp", LOSS)):
                near = {**over, "target": target, "segment": segment}
                yield from self.made("uplink_probes_sent_total", near, lambda at: at // 5)
                deaf = uplink.deaf_hop if segment == "next_hop" else 0.0
                lost = _losing(ALWAYS if deaf else uplink.degraded, (deaf or share) / 5)
                yield from self.made("uplink_probes_lost_total", near, lost)
        if uplink.role == "standby":
            yield from self.standby(uplink, over, state)
        for bound in ("2.0", "30.0", "+Inf"):
            yield from self.gaps(uplink, bound, over)
        yield from self.made("uplink_gap_seconds_count", over, uplink.gaps)
        # Targets behave alike unless one of them is dead by itself.
        for target in TARGETS if uplink.dead_target else TARGETS[:1]:
            yield from self.target(uplink, {**over, "target": target, "segment": "far"})

    def standby(self, uplink: Line, over: Labels, state: Callable[[float], tuple[str, float]]) -> Series:
        """The path, and what a router knows."""

        def path(at: float) -> Value:
            return {"unknown": None, "down": 0.0}.get(state(at)[0], 1.0)

        yield from self.made("standby_ready", {**over, "check": "path"}, path)
        if self.yard.budget is not None:
            yield from self.made("probe_budget_bytes", over, lambda _: self.yard.budget)
            passed = self.yard.passed
            yield from self.made(
                "probe_period_bytes",
                over,
                lambda at: next((each for start, each in reversed(passed) if start <= at), 0.0),
            )
        for check in self.yard.required:
            spans = uplink.failing.get(check, ())
            yield from self.made("standby_ready", {**over, "check": check}, _unless(spans))

    def uplink_state(self, state: Callable[[float], tuple[str, float]], word: str, over: Labels) -> Series:
        yield from self.made("uplink_state", {**over, "state": word}, lambda at: float(state(at)[0] == word))

    def gaps(self, uplink: Line, bound: str, over: Labels) -> Series:
        labels = {**over, "le": bound}
        yield from self.made("uplink_gap_seconds_bucket", labels, lambda at: uplink.gaps(at, float(bound)))

    def target(self, uplink: Line, probed: Labels) -> Series:
        dead = uplink.dead + (uplink.dead_target if probed["target"] == TARGETS[-1] else ())
        yield from self.made("uplink_probes_sent_total", probed, lambda at: at)
        losing = _losing(() if uplink.dead else uplink.degraded, LOSS)
        silent = _lost(lambda at: inside(dead, at), self.end)
        yield from self.made("uplink_probes_lost_total", probed, lambda at: (silent(at) or 0.0) + losing(at))


def _unless(spans: Spans) -> Read:
    """1, and 0 in these spans."""
    return lambda at: float(inside(spans, at) is None)


def _losing(spans: Spans, share: float) -> Callable[[float], float]:
    """Probes lost until then, of one a second, where each of these spans loses this share."""
    return lambda at: sum(share * max(0.0, min(at, end) - start) for start, end in spans)


def _lost(holds: Callable[[float], float | None], end: float) -> Read:
    """The total of a counter that grows by one a second while `holds`: every probe lost."""
    steps = [STEP * (holds(index * STEP) is not None) for index in range(int(end / STEP) + 1)]
    totals = list(accumulate(steps, initial=0.0))
    return lambda at: totals[int(at / STEP)]


@dataclass(frozen=True)
class _Inventory:
    """What one centre says about one terminal while it is listed."""

    yard: Yard
    instance: str
    centre: Centre
    end: float

    @property
    def where(self) -> Labels:
        return {**centre_labels(self.instance), "fleet": self.yard.fleet, "terminal": self.yard.name}

    def made(self, name: str, labels: Labels, read: Read) -> Series:
        def says(at: float) -> Value:
            there = self.centre.lists(self.yard.fleet, at) and inside(self.yard.listed, at) is not None
            return read(at) if there else None

        return _made(name, labels, says, self.end)

    def limit(self, name: str, seconds: float) -> Series:
        return self.made(f"terminal_{name}_seconds", self.where, lambda _: seconds)

    def series(self) -> Series:
        yard = self.yard
        info = {"stage": yard.stage, "on_failover": yard.on_failover, "timezone": "America/Los_Angeles"}
        yield from self.made("terminal_info", {**self.where, **info}, lambda _: 1)
        yield from self.limit("switch_within", yard.switch_within)
        yield from self.limit("page_after", 10)
        yield from self.limit("failback_within", 600)
        yield from self.limit("report_within", max(yard.switch_within - 3, 20))
        yield from self.limit("utc_offset", yard.offset)
        if yard.router is not None:
            yield from self.made("router_poll_interval_seconds", self.where, lambda _: 30)
            for value, unit, least in (("rsrp", "dbm", -115), ("rsrq", "db", -18), ("sinr", "db", -3)):
                limit = {**self.where, "uplink": "lte"}
                yield from self.made(f"modem_{value}_least_{unit}", limit, lambda _, least=least: least)
        if (peak := yard.peak) is not None:
            yield from self.made("terminal_peak_active", self.where, lambda at: float(inside(peak, at) is not None))
        if (service := yard.service) is not None:
            labels = {**self.where, "service": service.name}
            facts = {"probe": "http", "host": "dispatch.example.com"}
            yield from self.made("service_info", {**labels, **facts}, lambda _: 1)
            yield from self.made("service_slow_after_seconds", labels, lambda _: 3)
        if (drill := yard.drill) is not None and drill.asked:
            asked = {**self.where, "playbook": drill.playbook}
            yield from self.made("drill_info", {**asked, "per": "quarter"}, lambda _: 1)
            yield from self.made("drill_remind_before_seconds", asked, lambda _: drill.remind_before)
            yield from self.made("drill_due_timestamp_seconds", asked, drill.due_at)
        for name, uplink in yard.lines.items():
            yield from self.line(name, uplink)

    def line(self, name: str, uplink: Line) -> Series:
        over = {**self.where, "uplink": name}
        facts = {
            "role": uplink.role, "medium": uplink.medium,
            "isp": uplink.isp, "circuit": uplink.circuit, "support": uplink.support,
        }  # fmt: skip
        yield from self.made("uplink_info", {**over, **facts}, lambda _: 1)
        if uplink.role == "standby":
            for check in self.yard.checks():
                yield from self.made("standby_check_required", {**over, "check": check}, lambda _: 1)
            yield from self.made("standby_max_proof_age_seconds", over, lambda _: self.yard.max_proof_age)
        if (windows := self.yard.maintenance.get(name)) is not None:
            yield from self.made("maintenance_active", over, lambda at: float(inside(windows, at) is not None))
        if (silent := self.yard.outside) is not None and uplink.role == "primary":
            yield from self.made("uplink_outside_up", over, lambda at: float(inside(silent, at) is None))


def centre_labels(instance: str) -> Labels:
    return {"instance": instance, "job": "yardlight-centre"}
