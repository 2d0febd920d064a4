"""Feed each parser for a while, led by which lines of ours each input reaches (atheris, libFuzzer).

    make fuzz                               a minute of CPU for each
    make fuzz ARGS="--seconds 600"          ten
    make fuzz ARGS="--only 'mdm jamf'"      one
    make fuzz ARGS="--only 'mdm jamf' --again .fuzz/mdm-jamf/crash-1234"

What was found interesting is kept in .fuzz/ and gone on from; an input that crashes is kept there, too. The seconds are
of CPU, from the first input on: a busy machine makes it last longer, not find less.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEPT = Path(".fuzz")
_IN = Path("/dev/shm")
# libFuzzer's own limit on one input, seconds: whatever takes longer is a finding.
_LONGEST = 20
# What one input may take at once. In all it is more: atheris keeps some of each run, which without it is not kept.
_MOST_MB, _ALL_MB = 1024, 8192


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, add_help=True)
    arguments.formatter_class = argparse.RawDescriptionHelpFormatter
    arguments.add_argument("--seconds", type=int, default=60, help="of CPU, for each parser (60)")
    arguments.add_argument("--only", metavar="NAME", help="this one")
    arguments.add_argument("--again", metavar="FILE", type=Path, help="try one input again; needs --only")
    arguments.add_argument("--within", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.within is not None:
        return _fuzz(options.only, options.seconds, options.within)
    if options.again is not None and options.only is None:
        arguments.error("--again needs --only")
    from tests.fuzz.targets import targets

    with tempfile.TemporaryDirectory() as folder:
        known = targets(Path(folder))
        if options.only is not None and options.only not in known:
            arguments.error(f"there is no parser {options.only!r}; there are: {', '.join(known)}")
        if options.again is not None:
            known[options.only].target(options.again.read_bytes())
            print("nothing wrong")
            return 0
        names = [options.only] if options.only else list(known)
        for name in names:
            _lay_seeds(name, known[name].seeds)
    crashed = [
        name for number, name in enumerate(names, 1) if not _run(name, options.seconds, f"{number}/{len(names)}")
    ]
    print(f"{len(names)} parsers, {len(crashed)} with a crash" + (f": {', '.join(crashed)}" if crashed else ""))
    return 1 if crashed else 0


def _folder(name: str) -> Path:
    return KEPT / name.replace(" ", "-")


def _lay_seeds(name: str, seeds: tuple[bytes, ...]) -> None:
    folder = _folder(name) / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)


def _run(name: str, seconds: int, of: str) -> bool:
    # libFuzzer ends its process without a last word, so what it needs is taken away by this one.
    with tempfile.TemporaryDirectory(prefix="yardlight-fuzz-", dir=_IN if _IN.is_dir() else None) as folder:
        command = [sys.executable, "-m", "tests.fuzz", "--within", folder, "--only", name, "--seconds", str(seconds)]
        before = _cpu()
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        took = _cpu() - before
    tries = re.findall(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    reached = re.findall(r"cov: (\d+)", done.stderr)
    said = (
        f"{int(tries[-1]):>9,} inputs, {reached[-1] if reached else '?'} branches"
        if tries
        else "      no inputs counted"
    )
    good = done.returncode == 0 and bool(tries)
    print(f"{of:>7}  {name:<32} {said}, {took:.0f} s of CPU  {'ok' if good else 'CRASHED'}", flush=True)
    if not good:
        said = done.stdout + done.stderr
        at = max(said.find("=== Uncaught"), 0)
        print(said[at:][:3000] if at else "", said[-1500:], f"ended with {done.returncode}", sep="\n", flush=True)
    return good


def _cpu() -> float:
    """Seconds of CPU that all ended processes of ours had."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _fuzz(name: str, seconds: int, folder: Path) -> int:
    import atheris

    with atheris.instrument_imports(include=["yardlight"]):
        from tests.fuzz.targets import targets
    logging.disable()
    target = targets(folder)[name].target
    kept = _folder(name)
    atheris.Setup(
        [
            "fuzz", f"-timeout={_LONGEST}", "-max_len=8192", "-print_final_stats=1",
            f"-malloc_limit_mb={_MOST_MB}", f"-rss_limit_mb={_ALL_MB}", f"-artifact_prefix={kept}/", f"{kept}/corpus",
        ],
        target,
    )  # fmt: skip
    until = time.process_time() + seconds

    def end_if_due(*_: object) -> None:
        # libFuzzer has no limit of CPU time, but ends when asked to like this.
        if time.process_time() >= until:
            os.kill(os.getpid(), signal.SIGUSR1)

    signal.signal(signal.SIGPROF, end_if_due)
    # Alone, the timer was found 6 % early and 25 % late.
    signal.setitimer(signal.ITIMER_PROF, 1.0, 1.0)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
