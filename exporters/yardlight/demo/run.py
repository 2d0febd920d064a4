"""Starts the whole demo, shows it, hands faults to it, and stops it without leaving anything behind."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from rich.console import Console
from rich.live import Live

from yardlight.demo import DemoOptions, archive, between, faults, platforms, programs, table
from yardlight.demo.archive import ArchiveFaultError, DemoArchive
from yardlight.demo.between import Between
from yardlight.demo.carrier import CarrierError
from yardlight.demo.fleet import inventory
from yardlight.demo.inbox import Inbox, Notice, clock
from yardlight.demo.mdm import MdmError
from yardlight.demo.platforms import Platforms
from yardlight.demo.simulator import Simulator
from yardlight.demo.telematics import VendorError
from yardlight.errors import StartError

CONTROL = "/control/fault"
_STARTED_WITHIN = 15.0
_STEADY_WITHIN = 90.0
_NOTIFIED_WITHIN = 90.0
_CUT_TERMINAL = "fontana"
_CUT = f"{_CUT_TERMINAL}.fiber=cut"
_READ_EVERY = 1.0
_OFFICE_OPENS = 60.0


def ask(options: DemoOptions) -> int:
    """Hand `options.fault` to the demo that is running and print what it says."""
    if options.fault == "list":
        print(f"{faults.LIST}\n{platforms.LIST}\n{archive.LIST}")
        return 0
    request = urllib.request.Request(
        f"http://127.0.0.1:{options.ports.inbox}{CONTROL}", data=(options.fault or "").encode(), method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            print(reply.read().decode().rstrip())
    except urllib.error.HTTPError as refused:
        print(refused.read().decode().rstrip(), file=sys.stderr)
        return 1
    except OSError:
        port = options.ports.inbox
        print(f"no demo is running: nothing answers on port {port}; start one: yardlight demo", file=sys.stderr)
        return 1
    return 0


def start(options: DemoOptions) -> int:
    """Run the demo until Ctrl-C, or until the first notification if that was asked for."""
    try:
        return asyncio.run(_Demo(options).run())
    except StartError as error:
        print(f"yardlight demo: {error}", file=sys.stderr)
        return 1


class _Demo:
    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._folder = options.folder.absolute()
        self._simulator = Simulator(options.ports)
        self._platforms = Platforms(options.ports)
        self._archive = DemoArchive(self._folder)
        self._inbox = Inbox()
        self._running: list[programs.Running] = []
        self._missing: list[str] = []
        self._rows: list[table.Row] = []
        self._tablets: list[table.Tablets] = []
        self._systems: list[Between] = []
        self._calls: list[Between] = []
        self._stop = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._stop.set)
        async with self._fleet(), self._started_programs(), _beside(self._read()), _beside(self._office()):
            if self._options.until_notification:
                return await self._until_notification()
            return await self._show()

    @contextlib.asynccontextmanager
    async def _fleet(self) -> AsyncIterator[None]:
        """The simulated fleet and the inbox, up."""
        options = self._options
        in_use = programs.taken(options.ports, options.host, fleet_only=options.fleet_only)
        if in_use:
            raise StartError("; ".join(in_use) + ". Is another demo running? It ends with Ctrl-C.")
        try:
            await self._simulator.start()
            await self._platforms.start()
        except OSError as error:
            raise StartError(f"cannot simulate the internet on loopback: {error}") from None
        application = web.Application()
        application.add_routes([web.post(CONTROL, self._take_fault), *self._inbox.routes()])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, options.host, options.ports.inbox).start()
            yield
        finally:
            await runner.cleanup()
            await self._platforms.stop()
            await self._simulator.stop()

    @contextlib.asynccontextmanager
    async def _started_programs(self) -> AsyncIterator[None]:
        """The exporter, Prometheus and Alertmanager running, each as far as it is installed."""
        _forget(self._folder)
        self._platforms.write(self._folder)
        await asyncio.to_thread(self._archive.write)
        written = inventory(self._simulator, self._options, self._platforms.section() + self._archive.section())
        (self._folder / "fleet.yml").write_text(written, encoding="utf-8")
        wanted = [programs.exporter(self._options, self._folder)]
        if not self._options.fleet_only:
            top = programs.checkout()
            wanted.append(programs.alertmanager(self._options, self._folder, top))
            wanted.append(programs.prometheus(self._options, self._folder, top))
        self._missing = [missing for program in wanted if (missing := program.missing)]
        try:
            for program in wanted:
                if not program.missing:
                    running = programs.Running(program, self._folder / f"{program.name.lower()}.log")
                    self._running.append(running)
                    await self._listens(running)
            yield
        finally:
            for running in self._running:
                running.ask_to_stop()
            for running in self._running:
                running.wait()
            self._archive.remove_copy()

    async def _listens(self, running: programs.Running) -> None:
        """Wait until the program takes connections: what Prometheus sends too early it repeats a minute later."""
        deadline = time.monotonic() + _STARTED_WITHIN
        while time.monotonic() < deadline and not running.ended() and not self._stop.is_set():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", running.program.port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return

    async def _office(self) -> None:
        """What people do once all is read for the first time, so that boards show it."""
        await asyncio.sleep(_OFFICE_OPENS)
        for command in programs.office(self._folder, datetime.now(UTC).date()):
            with (self._folder / "office.log").open("ab") as log:
                await (
                    await asyncio.create_subprocess_exec(
                        *command, stdout=log, stderr=log, preexec_fn=programs.die_with_parent
                    )
                ).wait()

    async def _read(self) -> None:
        """What the exporter measures, again and again into `_rows`."""
        url = f"http://127.0.0.1:{self._options.ports.exporter}/metrics"
        async with ClientSession(timeout=ClientTimeout(total=2)) as session:
            while True:
                try:
                    async with session.get(url) as page:
                        text = await page.text() if page.status == 200 else ""
                except (ClientError, TimeoutError):
                    text = ""
                self._rows, self._tablets = table.rows(text), table.tablets(text)
                there = table.samples(text)
                self._systems, self._calls = [*between.flows(there), *between.hours(there)], between.calls(there)
                await asyncio.sleep(_READ_EVERY)

    async def _take_fault(self, request: web.Request) -> web.Response:
        try:
            fault = await request.text()
            said = await asyncio.to_thread(self._archive.switch, fault) or self._platforms.switch(fault)
            if self._platforms.refresh(self._folder):
                self._running[0].reload()
            said = said or faults.apply(self._simulator, fault)
            return web.Response(text=said + "\n")
        except (faults.FaultError, CarrierError, MdmError, ArchiveFaultError, VendorError) as error:
            return web.Response(status=400, text=f"{error}\n")

    def _problems(self) -> list[str]:
        """What is missing or has ended by itself."""
        return [*self._missing, *(ended for running in self._running if (ended := running.ended()))]

    def _notes(self) -> list[str]:
        ports = self._options.ports
        return [
            f"Yardlight http://127.0.0.1:{ports.exporter}  Prometheus http://127.0.0.1:{ports.prometheus}  "
            f"Alertmanager http://127.0.0.1:{ports.alertmanager}  inbox http://127.0.0.1:{ports.inbox}",
            f"In another shell: yardlight demo --fault {_CUT}   (all of them: --fault list). Ctrl-C ends it.",
            *self._problems(),
        ]

    def _truth(self) -> dict[str, str]:
        yards = {yard.name: yard.truth() for yard in self._simulator.yards.values()}
        return {**yards, **self._platforms.truth()}

    async def _show(self) -> int:
        """The live table, or plain lines where the output is no terminal, until told to stop."""
        console = Console()
        if not console.is_terminal:
            return await self._print()
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while not self._stop.is_set():
                told, systems = self._inbox.people(), [*self._systems, *self._calls]
                picture = table.draw(self._rows, self._tablets, systems, self._truth(), told, self._notes())
                live.update(picture, refresh=True)
                await self._pause()
        return 0

    async def _print(self) -> int:
        printer = _Printer()
        for note in self._notes():
            printer.once(note)
        while not self._stop.is_set():
            self._print_news(printer)
            await self._pause()
        self._print_news(printer)
        return 0

    def _print_news(self, printer: _Printer) -> None:
        for problem in self._problems():
            printer.once(problem)
        for row in self._rows:
            printer.changed(row.terminal, row.measured)
        for tablets in self._tablets:
            printer.changed(tablets.group, tablets.measured)
        for systems in self._systems:
            printer.changed(systems.name, systems.measured)
        for notice in self._inbox.people():
            printer.once(notice.text())

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), 0.5)

    async def _until_notification(self) -> int:
        """Cut a circuit once all is measured as well; print the first notification about it and its delay."""
        printer = _Printer()
        if self._missing:
            raise StartError("; ".join(self._missing) + ", and no notification can come")
        if not await self._within(_STEADY_WITHIN, printer, self._steady):
            printer.once(f"the fleet was not measured as healthy within {_STEADY_WITHIN:.0f} s")
            return 1
        printer.once(f"injected: {faults.apply(self._simulator, _CUT)}")
        cut = time.time()
        if not await self._within(_NOTIFIED_WITHIN, printer, lambda: bool(self._firing(_CUT_TERMINAL))):
            printer.once(f"no notification within {_NOTIFIED_WITHIN:.0f} s of the cut")
            return 1
        first = self._firing(_CUT_TERMINAL)[0]
        printer.once(f"first notification {first.at - cut:.1f} s after the cut, to {first.audience}")
        return 0

    async def _within(self, seconds: float, printer: _Printer, check: Callable[[], bool]) -> bool:
        """Print news until `check` holds; False when it does not in time, a program ended, or asked to stop."""
        deadline = time.monotonic() + seconds
        while not self._stop.is_set() and time.monotonic() < deadline:
            self._print_news(printer)
            if self._problems():
                return False
            if check():
                return True
            await self._pause()
        return False

    def _steady(self) -> bool:
        """True if every terminal is measured as well and a heartbeat has come the whole way to the inbox."""
        return (
            len(self._rows) == len(self._simulator.yards)
            and all(row.healthy for row in self._rows)
            and len(self._inbox.notices) > len(self._inbox.people())
        )

    def _firing(self, terminal: str) -> list[Notice]:
        """What a person was told about this terminal."""
        return [each for each in self._inbox.people() if each.status == "firing" and each.concerns(terminal)]


@contextlib.asynccontextmanager
async def _beside(what: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """This goes on as long as the block does."""
    task = asyncio.create_task(what)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class _Printer:
    """Plain lines for pipes and logs: each thing once, each terminal and each group of tablets when it changed."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._measured: dict[str, str] = {}

    def once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            print(text, flush=True)

    def changed(self, name: str, measured: str) -> None:
        if self._measured.get(name) != measured:
            self._measured[name] = measured
            print(f"{clock(time.time())} {name}: {measured}", flush=True)


def _forget(folder: Path) -> None:
    """Make the folder, without what an earlier demo left in it; nothing else is touched."""
    folder.mkdir(parents=True, exist_ok=True)
    for history in ("prometheus", "alertmanager", "yardlight-records"):
        shutil.rmtree(folder / history, ignore_errors=True)
    for state in folder.glob("yardlight.db*"):
        state.unlink()
