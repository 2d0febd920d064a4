"""A server of one's own asked for JSON: a `serve` elsewhere, Prometheus, Alertmanager. Vendors are client.py's."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from yardlight.errors import UnansweredError
from yardlight.inventory.values import Secret

ANSWER_SECONDS = 8.0


@dataclass(frozen=True)
class Access:
    """How a server is reached: its base address and, where it asks for them, user and password and a private CA.

    `bearer` is a token that stands for both.
    """

    base: str
    user: str = ""
    password: str = ""
    ca_file: str | None = None
    bearer: Secret | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Any:
        """The JSON that is answered. Raises `UnansweredError`."""
        where = f"{self.base}{path.partition('?')[0]}"
        auth = aiohttp.BasicAuth(self.user, self.password) if self.user else None
        bearer = {"Authorization": f"Bearer {self.bearer.reveal()}"} if self.bearer is not None else {}
        try:
            # Making a context reads every certificate of the machine: not twice a second for nothing.
            context = ssl.create_default_context(cafile=self.ca_file) if self.base.startswith("https") else False
            async with (
                asyncio.timeout(seconds),
                aiohttp.ClientSession(auth=auth, connector=aiohttp.TCPConnector(ssl=context)) as session,
                session.request(
                    method, f"{self.base}{path}", json=body, headers={**(headers or {}), **bearer}
                ) as answer,
            ):
                data = await answer.read()
        except TimeoutError:
            why = f"gave no answer within {seconds:g} s"
            raise UnansweredError(f"{where} {why}", why) from None
        except (OSError, aiohttp.ClientError) as error:
            raise UnansweredError(f"{where} cannot be asked: {error}", "cannot be asked") from None
        if answer.status >= 300:
            said = data.decode(errors="replace").strip()[:300]
            raise UnansweredError(f"{where}: {said or answer.status}", f"answered with status {answer.status}")
        try:
            return json.loads(data) if data else None
        except ValueError:
            why = "did not answer with JSON"
            raise UnansweredError(f"{where} {why}", why) from None
