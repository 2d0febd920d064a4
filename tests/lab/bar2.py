"""Bar 2: a lasting cut tells the right person, once and soon; beside it, blackbox_exporter's usual rule."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Literal

from tests.lab.centre import Post
from tests.lab.lab import Lab
from tests.lab.measure import Results

Kind = Literal["fiber", "dark", "cut_off"]
TOLD = {"fiber": "ticket", "dark": "page", "cut_off": "page"}


async def cuts(lab: Lab, results: Results, kind: Kind, count: int, hold: float) -> None:
    """`count` lasting cuts of the fibre, or of both circuits at once, each healed and seen to be over."""
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(15, 25))
        circuits = ("fiber",) if kind == "fiber" else ("fiber", "lte")
        cut = max(await asyncio.gather(*(lab.faults.blackhole(circuit) for circuit in circuits)))
        told = await _told(lab, cut, TOLD[kind], within=150)
        results.say(f"{number}/{count}: {'never told' if told is None else f'told after {told.at - cut:.1f} s'}")
        await asyncio.sleep(max(0.0, cut + hold - time.monotonic()))
        await asyncio.gather(*(lab.faults.heal(circuit) for circuit in circuits))
        await lab.calm()
        _report(lab, results, kind, cut, told)


async def _told(lab: Lab, cut: float, severity: str, within: float) -> Post | None:
    while time.monotonic() < cut + within:
        for post in lab.centre.inbox.since(cut):
            if post.names(severity=severity):
                return post
        await asyncio.sleep(0.1)
    return None


def _report(lab: Lab, results: Results, kind: Kind, cut: float, told: Post | None) -> None:
    posts = lab.centre.inbox.since(cut)
    firing = Counter(post.receiver for post in posts if post.status == "firing")
    once = told is not None and set(firing.values()) == {1}
    results.observe(f"bar2.{kind}.told_after", told.at - cut if told else 999)
    results.observe(f"bar2.{kind}.once", once)
    pages = [post for post in posts if post.names(severity="page")]
    if kind == "fiber":
        results.observe("bar2.fiber.pages", len(pages))
    if not once or (kind == "fiber" and pages):
        results.note(story(posts, cut))
    usual = [post.at - cut for post in lab.centre.inbox.since(cut, usual=True) if post.status == "firing"]
    if usual:
        results.observe(f"bar2.{kind}.usual", usual[0])


def story(posts: list[Post], since: float) -> str:
    """All notifications of an incident, as one line."""
    told = (
        f"{post.at - since:.0f} s {post.receiver} {post.status} "
        f"firing={sorted(post.names())} resolved={sorted(post.names('resolved'))}"
        for post in posts
    )
    return "; ".join(told) or "nobody was told"
