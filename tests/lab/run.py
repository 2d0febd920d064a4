"""`python -m tests.lab`: run labs side by side and print measured against truth."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import traceback
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.lab import jobs, lab, measure, namespace
from tests.lab.process import ROOT

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 when every bar held, 1 when one did not, 2 when no lab can run here."""
    arguments = _parser().parse_args(argv)
    os.environ["PATH"] = f"{os.environ['PATH']}:{SBIN}"
    if arguments.job:
        asyncio.run(_one(_job(arguments.job), arguments.keep, arguments.seed))
        return 0
    if reason := namespace.missing():
        print(f"no lab here: {reason}", file=sys.stderr)
        return 2
    chosen = [job for job in _all(arguments.quick) if _wanted(job, arguments.names)]
    with contextlib.ExitStack() as stack:
        keep = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yardlight-lab-")))
        values, rows, notes = asyncio.run(_side_by_side(chosen, arguments.jobs, keep, arguments.seed))
    judged = measure.judge(values)
    if arguments.json:
        print(json.dumps({**measure.document(judged, values, notes), "told": rows}, indent=1))
    else:
        console = Console()
        measure.show(judged, rows, notes, Console(width=max(console.width, 130)))
    return 1 if any(one.passed is False for one in judged) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("names", nargs="*", help="bar1 ... bar5, rows, extra, or jobs such as rows.T01; default: all")
    parser.add_argument("--quick", action="store_true", help="the short version that the tests run")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="labs at a time; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="for machines, with every value")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs, truth and notifications there")
    parser.add_argument("--seed", type=int, default=None, help="for the phases of the faults")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    return parser


def _all(quick: bool) -> list[jobs.Job]:
    return jobs.quick() if quick else jobs.full()


def _job(name: str) -> jobs.Job:
    return next(job for job in (*jobs.quick(), *jobs.full()) if job.name == name)


def _wanted(job: jobs.Job, names: Sequence[str]) -> bool:
    return not names or job.name in names or job.group in names


async def _side_by_side(
    chosen: Sequence[jobs.Job], at_a_time: int, keep: Path, seed: int | None
) -> tuple[dict[str, list[float]], list[tuple[str, bool, str]], list[str]]:
    turn = asyncio.Semaphore(at_a_time)

    async def one(job: jobs.Job) -> dict[str, Any]:
        async with turn:
            return await _in_holder(job, keep / job.name, seed)

    values: dict[str, list[float]] = defaultdict(list)
    rows: list[tuple[str, bool, str]] = []
    notes: list[str] = []
    for outcome in await asyncio.gather(*(one(job) for job in chosen)):
        for row, found in outcome["values"].items():
            values[row] += found
        rows += [(id_, holds, story) for id_, holds, story in outcome["rows"]]
        notes += outcome["notes"]
    return values, rows, notes


async def _in_holder(job: jobs.Job, work: Path, seed: int | None) -> dict[str, Any]:
    """Run one job in a holder of its own; what it wrote, or that it did not end."""
    work.mkdir(parents=True)
    seeded = ("--seed", str(seed)) if seed is not None else ()
    argv = (
        *namespace.HOLDER,
        sys.executable,
        "-m",
        "tests.lab",
        "--job",
        job.name,
        "--keep",
        str(work),
        *seeded,
    )
    process = await asyncio.create_subprocess_exec(*argv, cwd=ROOT)
    try:
        await asyncio.wait_for(process.wait(), job.minutes * 60)
    except TimeoutError:
        return {"values": {"job": [0.0]}, "rows": [], "notes": [f"{job.name}: not over after {job.minutes:g} min"]}
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
    outcome = work / "outcome.json"
    if not outcome.exists():
        return {"values": {"job": [0.0]}, "rows": [], "notes": [f"{job.name}: ended with {process.returncode}"]}
    loaded: dict[str, Any] = json.loads(outcome.read_text())
    return loaded


async def _one(job: jobs.Job, work: Path, seed: int | None) -> None:
    """In the holder: make the lab, run the scenarios, write what they measured even when one breaks."""
    random.seed(f"{seed} {job.name}" if seed is not None else None)
    results = measure.Results(job.name)
    try:
        if job.alone is not None:
            namespace.prepare()
            await job.alone(results, work)
        else:
            made = await lab.make(job.setup, work)
            results.say("the lab runs")
            for scenario in job.scenarios:
                await scenario(made, results)
        results.observe("job", 1)
    except Exception as error:
        traceback.print_exc()
        results.observe("job", 0)
        results.note(f"broke off: {type(error).__name__}: {error}")
    outcome = {"values": results.values, "rows": results.rows, "notes": results.notes}
    (work / "outcome.json").write_text(json.dumps(outcome))
