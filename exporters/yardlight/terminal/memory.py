"""What one terminal's next process and its reports should know: written now and then, and at each change."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from yardlight.state import State
from yardlight.terminal.carrier import Carrier
from yardlight.terminal.chronicle import Chronicle
from yardlight.terminal.metering import Ledger
from yardlight.terminal.pins import DEFAULT, Key
from yardlight.terminal.readiness import Record
from yardlight.terminal.silence import Silence
from yardlight.terminal.timeline import Timeline
from yardlight.terminal.uplink import UplinkWatch

_EVERY = 30.0
_RESTORE_WITHIN = 86400.0


class Memory:
    """Reads what the last process left, writes for the next one. Times are monotonic seconds."""

    def __init__(self, fleet: str, terminal: str, state: State) -> None:
        self._fleet, self._terminal, self._state = fleet, terminal, state
        stored = state.recall(fleet, terminal, "verdicts") or {}
        age = time.time() - float(stored.get("at", 0.0))
        self._stored: dict[str, Any] = stored if 0 <= age < _RESTORE_WITHIN else {}
        self._timelines: dict[str, Timeline] = {}
        self._written = 0.0

    # From the last process

    def signatures(self) -> dict[str, dict[Key, str]]:
        """What told the uplinks apart."""
        stored = self._state.recall(self._fleet, self._terminal, "signatures") or {}
        return {
            uplink: {(str(kind), int(number)): str(value) for kind, number, value in known}
            for uplink, known in stored.items()
        }

    def ledger(self, uplink: str) -> Ledger | None:
        """What was spent of a metered uplink's budget."""
        kept = self._state.recall(self._fleet, self._terminal, f"ledger {uplink}")
        return Ledger(**kept) if kept else None

    @property
    def carrier(self) -> str | None:
        """The uplink that last carried the yard."""
        return self._stored.get("carrier")

    def restore(self, default: Silence, watches: Mapping[str, UplinkWatch], chronicle: Chronicle) -> None:
        """Take up instants of the last run, so that an outage that goes on keeps its beginning."""
        shift = time.monotonic() - time.time()
        for name, (good, bad) in self._stored.get("silences", {}).items():
            instants = good + shift, bad + shift if bad is not None else None
            if name == DEFAULT:
                default.restore(*instants)
            elif name in watches:
                watches[name].restore(*instants)
        records = self._state.recall(self._fleet, self._terminal, "standbys") or {}
        for name, watch in watches.items():
            chronicle.uplink_gaps[name] = self._stored.get("gaps", {}).get(name)
            watch.record = Record(**records.get(name, {}))
        chronicle.last_gap = self._stored.get("gap")
        chronicle.last_failover = self._stored.get("failover")

    # For the next one

    def start(self, now: float) -> None:
        """Begin to count; not at once with all the others."""
        self._written = now - random.uniform(0, _EVERY)

    def due(self, now: float) -> bool:
        """True when it is time to write again."""
        return now - self._written > _EVERY

    def hurry(self) -> None:
        """The time of an event counts as watched: its spans are written with the next look."""
        self._written = float("-inf")

    def interrupt(self) -> None:
        """Nothing was watched for a while: no span goes on over it."""
        for timeline in self._timelines.values():
            timeline.interrupt()

    def keep_signatures(self, signatures: Mapping[str, Mapping[Key, str]]) -> None:
        """What tells the uplinks apart has changed."""
        kept = {
            name: [[kind, number, known] for (kind, number), known in signature.items()]
            for name, signature in signatures.items()
        }
        self._state.remember(self._fleet, self._terminal, "signatures", kept)

    def write(
        self, default: Silence, carrier: Carrier, watches: Mapping[str, UplinkWatch], chronicle: Chronicle, now: float
    ) -> None:
        """All as it is now."""
        self._written = now
        shift = time.time() - time.monotonic()
        self._keep_spans(carrier, watches, now, shift)
        silences = {DEFAULT: default, **{name: watch.path.silence for name, watch in watches.items()}}
        self._state.remember(
            self._fleet,
            self._terminal,
            "verdicts",
            {
                "at": time.time(),
                "silences": {
                    path: (
                        silence.last_good + shift,
                        silence.first_bad + shift if silence.first_bad is not None and silence.confirmed(now) else None,
                    )
                    for path, silence in silences.items()
                    if silence.last_good is not None
                },
                "gaps": dict(chronicle.uplink_gaps),
                "carrier": carrier.last,
                "gap": chronicle.last_gap,
                "failover": chronicle.last_failover,
            },
        )
        records = {name: asdict(watch.record) for name, watch in watches.items() if watch.uplink.role == "standby"}
        self._state.remember(self._fleet, self._terminal, "standbys", records)
        for name, watch in watches.items():
            if watch.wire.account is not None:
                self._state.remember(self._fleet, self._terminal, f"ledger {name}", asdict(watch.wire.account.ledger))

    def _keep_spans(self, carrier: Carrier, watches: Mapping[str, UplinkWatch], now: float, shift: float) -> None:
        spans = self._timeline(DEFAULT).see(carrier.observed or "", carrier.state, carrier.since, now, shift)
        for name, watch in watches.items():
            judgement = watch.verdict.judgement
            spans += self._timeline(name).see(name, judgement.state, judgement.since, now, shift)
        self._state.keep(spans)

    def _timeline(self, path: str) -> Timeline:
        if path not in self._timelines:
            self._timelines[path] = Timeline(self._fleet, self._terminal, "default" if path == DEFAULT else "pinned")
        return self._timelines[path]
