"""How much of what vendors do to a feed its contract names: 200 mutations by chance, 1 000 replies without any.

Each feed has a schema of its own and a contract learned from 60 of its replies. A mutation is named right if there is
one broken finding, of its kind and at its field. Prints what was not, and kind by outcome.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from yardlight.feeds.contract import Contract, learn
from yardlight.feeds.judge import check

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.feeds.mutations import KINDS, Feed, mutation

FEEDS, MUTATIONS, REPLIES = 20, 200, 1000
OUTCOMES = ("right", "and more", "wrong", "silent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, default=[8])
    parser.add_argument("--learned", type=int, default=60, help="replies that each contract is learned from")
    options = parser.parse_args()
    for seed in options.seeds:
        run(seed, options.learned)


def run(seed: int, learned: int) -> None:
    rng = random.Random(seed)
    feeds = [Feed(rng) for _ in range(FEEDS)]
    began = time.process_time()
    contracts = [learn([feed.reply() for _ in range(learned)]) for feed in feeds]
    print(f"seed {seed}: {FEEDS} contracts of {learned} replies, {time.process_time() - began:.1f} s of CPU")
    outcome = Counter(mutated(rng, feeds, contracts))
    false = 0
    spent = 0.0
    for number in range(REPLIES):
        reply = feeds[number % FEEDS].reply()
        began = time.process_time()
        broken = [each for each in check(reply, contracts[number % FEEDS]) if each.broken]
        spent += time.process_time() - began
        false += bool(broken)
        print(*(f"  false: {each}\n" for each in broken), sep="", end="")
    for kind in KINDS:
        print(f"  {kind:8}", *(f"{said} {outcome[kind, said]:3}" for said in OUTCOMES))
    right = sum(count for (_, said), count in outcome.items() if said == "right")
    print(f"  {right} of {MUTATIONS} mutations named right ({right / MUTATIONS:.1%})")
    print(f"  {false} alarms on {REPLIES} replies without one; {spent / REPLIES * 1e3:.1f} ms of CPU a reply")


def mutated(rng: random.Random, feeds: list[Feed], contracts: list[Contract]) -> Iterator[tuple[str, str]]:
    """The kind of each mutation and what came of it."""
    done = 0
    while done < MUTATIONS:
        which = rng.randrange(len(feeds))
        each = mutation(rng, feeds[which], KINDS[done % len(KINDS)])
        if each is None:
            continue
        done += 1
        broken = [finding for finding in check(each.reply, contracts[which]) if finding.broken]
        right = any((finding.kind, finding.field) == (each.expected, each.field) for finding in broken)
        said = OUTCOMES[(0 if len(broken) == 1 else 1) if right else 2 if broken else 3]
        yield each.kind, said
        if said != "right":
            print(f"  {said}: {each.kind} {each.field} {each.detail}, {len(each.reply)} records", *broken, sep="; ")


if __name__ == "__main__":
    main()
