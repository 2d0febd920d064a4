"""`python -m tests.lab.phone LINK FOLDER`: a yard manager with a phone and a hand, in whatever namespace it is run.

Does what the page says: pulls the cable (the command in PULL, as JSON), plugs it in (PLUG), answers yes. Pictures of
every screen go into FOLDER.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

from tests.drills.phone import Phone

# What somebody would do at a button before pressing it.
HANDS = {"Cable pulled": "PULL", "Cable is back": "PLUG"}
PRESSES = ("Start", "Cable pulled", "Cable is back", "The alert is there", "Yes", "Done")
LONGEST = 1200.0


def main(link: str, folder: Path) -> int:
    """0 when the page says that the drill passed."""
    folder.mkdir(parents=True, exist_ok=True)
    phone = Phone(folder / "profile")
    try:
        phone.open(link)
        deadline, shown, done = time.monotonic() + LONGEST, "", set[str]()
        while time.monotonic() < deadline:
            heading, buttons = phone.glance()
            if f"{heading} {buttons}" != shown:
                shown = f"{heading} {buttons}"
                print(f"{time.time():.3f} {shown}", flush=True)
                phone.picture(folder / f"{int(1000 * time.time())}.png")
            if heading.startswith("The drill ") or heading == "Only a part was tested":
                return 0 if heading == "The drill passed" else 1
            if press := next((each for each in PRESSES if each in buttons), None):
                if (hand := HANDS.get(press)) and hand not in done:
                    subprocess.run(json.loads(os.environ[hand]), check=True)
                    done.add(hand)
                # What it shows may have moved on by itself.
                with contextlib.suppress(NoSuchElementException, StaleElementReferenceException):
                    phone.tap(press)
                    time.sleep(0.5)
            time.sleep(0.2)
        return 2
    finally:
        phone.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2])))
