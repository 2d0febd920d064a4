"""Records for whoever must hand them over, without IT: a form at /records/, a page that waits, a zip.

It is off unless the web configuration has users, since what it gives away is about people. Every request and every
download is written into the fleet's own journal with the name of the login. A press carries a key that only the form
of the same login has (CSRF). The packing runs in a process of its own, so that no probe waits for it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import secrets
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from aiohttp import web

from yardlight import asked, sealing, templates
from yardlight.errors import RecordsError
from yardlight.inventory.models import Fleet
from yardlight.logs import kv
from yardlight.records import evidence
from yardlight.records.journal import note

log = logging.getLogger(__name__)
T = TypeVar("T")

_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS = {"Content-Security-Policy": _CSP, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
# More than anybody types; a process takes no more than 128 KiB in one word.
_LONGEST = {"drivers": 20_000, "vehicles": 20_000, "why": 2_000, "archive": 200}
# Whoever asks waits for minutes at most; the process is ended then.
_LIMIT_SECONDS = 1800.0
_AT_A_TIME = 2
_KEPT_RUNS = 100
_MOST = 200
_OFF = (
    "This page is off: it gives away records of people, so it needs users in the web configuration "
    "(--web.config.file, basic_auth_users).\n"
)


@dataclass(frozen=True)
class Shelf:
    """A fleet with its files: the inventory, and the state file beside which its records are kept track of."""

    fleet: Fleet
    inventory: Path
    state: Path


class Backend(Protocol):
    """What the pages ask of the process, on its main loop."""

    async def shelves(self) -> Sequence[Shelf]: ...


class Ask(Protocol):
    """Runs a coroutine on the main loop; raises 503 if that takes longer."""

    async def __call__(self, question: Callable[[], Coroutine[Any, Any, T]], seconds: float = ..., /) -> T: ...


@dataclass
class Run:
    """One retrieval, while it runs and after."""

    by: str
    shelf: Shelf
    began: float = field(default_factory=time.time)
    folder: Path | None = None
    error: str = ""


class RecordsPages:
    """The routes below /records/. `logins` says whether whoever asks had to log in with a name."""

    def __init__(self, backend: Backend, ask: Ask, logins: Callable[[], bool]) -> None:
        self._backend, self._ask, self._logins = backend, ask, logins
        self._key = os.urandom(32)
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(_AT_A_TIME)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/records", self._to_form),
            web.get("/records/", self._form),
            web.post("/records/", self._start),
            web.get("/records/run/{run}", self._run),
            web.get("/records/run/{run}/records.zip", self._zip),
        ]

    async def _to_form(self, request: web.Request) -> web.Response:
        self._who(request)
        raise web.HTTPPermanentRedirect("records/")

    def _who(self, request: web.Request) -> str:
        """The login of who asks. Raises 404 where there are none."""
        if not self._logins():
            raise web.HTTPNotFound(text=_OFF, headers=_HEADERS)
        encoded = request.headers.get("Authorization", "").partition(" ")[2]
        return b64decode(encoded).decode().partition(":")[0]

    def _key_of(self, who: str) -> str:
        return hmac.digest(self._key, who.encode(), "sha256").hex()

    async def _shelves(self) -> list[Shelf]:
        return [each for each in await self._ask(self._backend.shelves) if each.fleet.archives]

    async def _form(self, request: web.Request) -> web.Response:
        return await self._shown(self._who(request), {}, "")

    async def _shown(self, who: str, typed: dict[str, str], problem: str) -> web.Response:
        shelves = await self._shelves()
        chosen = next((each for each in shelves if each.fleet.fleet == typed.get("fleet")), None)
        today = date.today()
        span = {"first": str(today - timedelta(days=183)), "last": str(today - timedelta(days=1))}
        blank = {"drivers": "", "vehicles": "", "why": "", **span}
        return _page(
            "records.html", 400 if problem else 200, shelves=shelves, chosen=chosen, typed={**blank, **typed},
            blank=blank, problem=problem, key=self._key_of(who), who=who,
        )  # fmt: skip

    async def _start(self, request: web.Request) -> web.Response:
        who, fields = self._who(request), await asked.form(request)
        typed = {name: str(value) for name, value in fields.items()}
        if not hmac.compare_digest(typed.get("key", "").encode(errors="replace"), self._key_of(who).encode()):
            raise web.HTTPForbidden(text="this press did not come from the form\n", headers=_HEADERS)
        shelf = next((each for each in await self._shelves() if each.fleet.fleet == typed.get("fleet")), None)
        archives = [str(each) for each in fields.getall("archive", [])]
        problem = "" if shelf else "there is no such fleet"
        problem = problem or _problem(typed, archives)
        if problem or shelf is None:
            return await self._shown(who, typed, problem)
        # What was asked is on paper before anything is done.
        await _written(_note, shelf, "asked for", typed, archives, who)
        name = secrets.token_urlsafe(16)
        while len(self._runs) >= _KEPT_RUNS:
            del self._runs[next(iter(self._runs))]
        self._runs[name] = run = Run(who, shelf)
        log.info("records were asked for", extra=kv(fleet=shelf.fleet.fleet, run=name))
        task = asyncio.get_running_loop().create_task(self._pack(run, typed, archives))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        raise web.HTTPSeeOther(f"run/{name}", headers=_HEADERS)

    async def _pack(self, run: Run, typed: dict[str, str], archives: Sequence[str]) -> None:
        """Let a process of its own do it; whatever it does ends as a folder or as an error."""
        words = ["--inventory", str(run.shelf.inventory), "--state", str(run.shelf.state), "--json"]
        words += [f"--driver={name}" for name in _names(typed.get("drivers", ""))]
        words += [f"--vehicle={name}" for name in _names(typed.get("vehicles", ""))]
        words += [f"--archive={name}" for name in archives]
        words += [f"--from={typed['first']}", f"--to={typed['last']}", f"--by={run.by}", f"--why={typed['why']}"]
        async with self._turn:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "yardlight", "records", "retrieve", *words,
                    stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                )  # fmt: skip
            except OSError as error:
                run.error = f"it cannot be started: {(error.strerror or str(error)).lower()}"
                return
            try:
                async with asyncio.timeout(_LIMIT_SECONDS):
                    out, told = await process.communicate()
            except BaseException:
                process.kill()
                run.error = "it took too long and was ended"
                raise
        try:
            run.folder = Path(json.loads(out)["folder"])
        except (ValueError, KeyError):
            lines = told.decode(errors="replace").strip().splitlines()
            run.error = lines[-1] if lines else "it ended without a word"

    def _ours(self, request: web.Request) -> Run:
        """The run that is asked for, of the same login. Raises 404."""
        who, run = self._who(request), self._runs.get(request.match_info["run"])
        if run is None or run.by != who:
            raise web.HTTPNotFound(text="there is no such retrieval of this login\n", headers=_HEADERS)
        return run

    async def _run(self, request: web.Request) -> web.Response:
        run = self._ours(request)
        body: dict[str, Any] | None = None
        if run.folder is not None:
            body = json.loads(await asyncio.to_thread((run.folder / sealing.RECORD).read_bytes))
        return _page(
            "records_run.html", r=body, run=request.match_info["run"], error=run.error, most=_MOST,
            seconds=time.time() - run.began,
        )  # fmt: skip

    async def _zip(self, request: web.Request) -> web.StreamResponse:
        run = self._ours(request)
        if run.folder is None or not (path := evidence.zip_of(run.folder)).is_file():
            raise web.HTTPNotFound(text="the zip is not there (yet, or any more)\n", headers=_HEADERS)
        await _written(
            partial(note, evidence.folder_of(run.shelf.state), "downloaded", by=run.by, retrieval=run.folder.name)
        )
        name = f"records-{run.shelf.fleet.fleet}-{run.folder.name}.zip"
        return web.FileResponse(path, headers={**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'})


async def _written(write: Callable[..., None], *values: object) -> None:
    """Write a line of the journal. Raises 503 if that failed: then nothing may be given away."""
    try:
        await asyncio.to_thread(write, *values)
    except RecordsError as error:
        raise web.HTTPServiceUnavailable(text=f"{error}\n", headers=_HEADERS) from None


def _note(shelf: Shelf, what: str, typed: dict[str, str], archives: Sequence[str], who: str) -> None:
    asked = {name: typed.get(name, "") for name in ("drivers", "vehicles", "first", "last", "why")}
    note(evidence.folder_of(shelf.state), what, by=who, archives=" ".join(archives), **asked)


def _names(text: str) -> list[str]:
    return text.replace(",", " ").replace(";", " ").split()


def _problem(typed: dict[str, str], archives: Sequence[str]) -> str:
    """What is wrong with the form, in words; '' for nothing."""
    try:
        first, last = date.fromisoformat(typed.get("first", "")), date.fromisoformat(typed.get("last", ""))
    except ValueError:
        return "write both days like 2026-02-03"
    if last < first:
        return "the last day is before the first"
    if not _names(typed.get("drivers", "")) and not _names(typed.get("vehicles", "")):
        return "name at least one driver or one vehicle"
    if any(len(text) > _LONGEST.get(name, 200) for name, text in (*typed.items(), *(("archive", a) for a in archives))):
        return "that is too long: ask for fewer at a time"
    if not all(each.isprintable() for each in (*typed.values(), *archives)):
        return "there are characters that cannot be printed"
    if not archives:
        return "choose at least one kind of records"
    return "" if typed.get("why", "").strip() else "say what they are for: it is kept with them"


def _page(template: str, status: int = 200, **values: object) -> web.Response:
    text = templates.render(template, **values)
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)
