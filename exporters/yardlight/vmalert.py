"""`yardlight render vmalert`: the alert rules in words that an old vmalert knows.

Those of 2022, Debian 12's 1.79 among them, have no `toTime` in their templates: texts get times as 1/2 15:04, made of
what `humanizeTimestamp` writes. And whatever its age, it reads what a rule recorded no sooner than an evaluation later:
what Prometheus works out at once takes as many evaluations as there are steps to it, so that they must be short.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from yardlight import files
from yardlight.errors import StartError

_TIME = re.compile(r'\(([^()]*) \| toTime\)\.Format "([^"]+)"')
# Twelve evaluations in a minute, which is the least that an alert with `for` waits for what explains it.
_SELDOM, _OFTEN = re.compile("^(    interval: )30s$", re.MULTILINE), r"\g<1>5s"
# 2026-01-05 16:02:30.5 +0000 UTC
_WRITTEN = "^([0-9]+)-0?([0-9]+)-0?([0-9]+) ([0-9]+:[0-9]+):.*"


def variant(rules: str) -> str:
    """The text of a file of rules with the times of its messages written so, and its groups evaluated often."""
    return _SELDOM.sub(_OFTEN, _TIME.sub(_time, rules))


def _time(found: re.Match[str]) -> str:
    value, layout = found.groups()
    year = "/$1" if "2006" in layout else ""
    day = f"$2/$3{year}" if "Jan" in layout or "Mon" in layout else ""
    hour = "$4" if ":" in layout else ""
    return f'{value} | humanizeTimestamp | reReplaceAll "{_WRITTEN}" "{" ".join(filter(None, (day, hour)))}"'


def write(rules: Path, output: Path) -> int:
    """Each file of rules in a folder to another one. Raises `StartError` without any, or if they cannot be written."""
    found = sorted(rules.glob("*.yml"))
    if not found:
        raise StartError(f"{rules}: has no file of rules; --rules names the folder alert_rules of the source tree")
    try:
        output.mkdir(parents=True, exist_ok=True)
        for path in found:
            files.replace(output / path.name, variant(path.read_text(encoding="utf-8")).encode())
    except OSError as error:
        raise StartError(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}") from None
    print(f"wrote {len(found)} files to {output}", file=sys.stderr)
    return 0
