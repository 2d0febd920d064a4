"""Whose fault it is while a scenario's alerts fire: "domain subject/name", by the scenario's name; nothing else is."""

from __future__ import annotations

VERDICTS: dict[str, tuple[str, ...]] = {
    "T01": ("isp terminal/fontana",),
    "T05": ("wan terminal/fontana",),
    "T06": ("wan terminal/fontana",),
    "T07": ("carrier terminal/fontana",),
    "T09": ("isp terminal/fontana",),
    "T10": ("isp terminal/fontana",),
    "T13": ("dns terminal/fontana",),
    "T14": ("dns terminal/fontana",),
    "T15": ("isp terminal/fontana",),
    "T16": ("vendor platform/dispatch",),
    "T16-here-only": ("unknown terminal/fontana",),
    "T20": ("probe_box terminal/fontana",),
    "T40": ("wan terminal/fontana",),
    "F01": ("vendor platform/samsara",),
    "F17": ("credentials platform/samsara",),
    "M11": ("device truck/112",),
    # Off, or out of coverage: nobody can tell which.
    "M12": ("unknown truck/112",),
}

# Whose fault an alert says it is, where its rule leaves that to what was seen: usually, and in these scenarios.
USUALLY = {
    "TerminalOnStandby": "isp",
    "TerminalAtRisk": "isp",
    "UplinkDown": "isp",
    "UplinkDegraded": "isp",
    "UplinkFlapping": "isp",
    "StandbyNotReady": "carrier",
    "ServiceUnreachable": "isp",
    "AccountFailing": "vendor",
    "PlatformOutage": "vendor",
}
BLAMED: dict[str, dict[str, str]] = {
    # The router left a line that is well.
    "router-silent-disagrees": {"TerminalOnStandby": "wan"},
    # The vendor does not accept our key.
    "F17": {"AccountFailing": "credentials"},
    "F17-old": {"AccountFailing": "credentials"},
    "certificate-unread": {"AccountFailing": "credentials"},
    "fleet-removed": {"AccountFailing": "credentials"},
    # As when it began: it answered, and not with everything.
    "incomplete-then-down": {"AccountFailing": "integration"},
    "T13": {"ServiceUnreachable": "dns"},
    "drill-service": {"ServiceUnreachable": "dns"},
    "T14": {"StandbyNotReady": "dns"},
    "T16-here-only": {"ServiceUnreachable": "unknown"},
    "told-service-then-platform": {"ServiceUnreachable": "unknown"},
    "told-slow-then-failing": {"ServiceUnreachable": "unknown"},
    # Our probes find nothing over a line that carries the yard's traffic.
    "probes-only": {"UplinkDown": "probe_box"},
}
