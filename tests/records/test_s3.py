"""Archives in a store that speaks S3: a real server on loopback, and one in front of it that misbehaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("s3fs", reason="the extra s3 is not installed")
pytest.importorskip("moto", reason="moto, the S3 server of the tests, is not installed")

import boto3
import requests
from moto.server import ThreadedMotoServer

from tests.records.world import ELD, HOUR, TODAY, World, days
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.errors import AuthError, IncompleteError, UnreachableError
from yardlight.records import s3

pytestmark = [pytest.mark.needs("promtool"), pytest.mark.timeout(300)]
FIRST = TODAY - timedelta(days=16)
Spoil = Callable[[str, str], tuple[int, str] | None]


class Front:
    """A server before the store: what `spoil` gives for a method and a path is answered in the store's place."""

    def __init__(self, store: str) -> None:
        self.spoil: Spoil = lambda method, path: None
        self.asked: list[str] = []
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                front.asked.append(f"{self.command} {self.path}")
                if (spoiled := front.spoil(self.command, self.path)) is not None:
                    status, code = spoiled
                    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
                    self._send(status, body, {"Content-Type": "application/xml"})
                    return
                size = int(self.headers.get("Content-Length", 0))
                told = requests.request(
                    self.command, store + self.path, headers=dict(self.headers), data=self.rfile.read(size), timeout=30
                )
                kept = {key: value for key, value in told.headers.items() if key.lower() not in _HOP}
                self._send(told.status_code, told.content, kept)

            def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = _answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


_HOP = frozenset({"connection", "transfer-encoding", "content-encoding", "server", "date"})


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str) -> Iterator[Any]:
    """An empty bucket `records`."""
    resource = boto3.resource(
        "s3", endpoint_url=moto, aws_access_key_id="AKID", aws_secret_access_key="shh", region_name="us-east-1"
    )
    made = resource.create_bucket(Bucket="records")
    yield made
    made.objects.all().delete()
    made.delete()


@pytest.fixture
def front(moto: str) -> Iterator[Front]:
    made = Front(moto)
    yield made
    made.close()


def put(bucket: Any, driver: str, day: date, content: bytes | None = None) -> None:
    body = eld_file(Shape(user=driver, day=day)) if content is None else content
    bucket.put_object(Key=f"eld/{driver}/{day}.csv", Body=body)


@pytest.fixture
def world(tmp_path: Path, bucket: Any, front: Front) -> World:
    """The archive `eld` in the bucket: 16 days of two drivers. Objects are as new as the test."""
    (tmp_path / "key").write_text("AKID:shh\n")
    place = f'{{path: "s3://records/eld", endpoint: "{front.url}", region: us-east-1, key_file: key}}'
    archive = ELD.replace("path: eld", f"path: {place}") + f", since: {FIRST}}}"
    made = World(tmp_path, archive, "d101,2020-01-01,,eld\nd102,2020-01-01,,eld\n", fill=False)
    for driver in ("d101", "d102"):
        for day in days(FIRST, TODAY - timedelta(days=1)):
            put(bucket, driver, day)
    # Objects cannot be written in the past: of what is newest nothing is asked here.
    made.at = max(made.at, time.time())
    return made


def test_objects_are_listed_read_and_compared_like_files(world: World, bucket: Any) -> None:
    world.check()
    assert world.value("archive_files") == 32
    assert world.counts("archive_corrupt_files") == {}
    assert (world.value("archive_gaps"), world.value("archive_unread_files")) == (0, 0)
    assert world.value("archive_free_bytes") is None
    day = TODAY - timedelta(days=15)
    bucket.Object(f"eld/d101/{TODAY - timedelta(days=14)}.csv").delete()
    put(bucket, "d101", day, eld_file(Shape(day=day, comment="forged")))
    world.check(world.at + HOUR)
    assert world.value("archive_deleted_early_files") == 1
    assert world.value("archive_gaps") == 1
    assert world.counts("archive_corrupt_files") == {"changed": 1}


def test_a_steady_check_reads_no_object_but_the_sample(world: World, front: Front) -> None:
    world.check()
    front.asked.clear()
    world.check(world.at + HOUR)
    read = [each for each in front.asked if each.startswith("GET") and ".csv" in each]
    assert len(read) == 20
    assert not any(each.startswith("HEAD") for each in front.asked)
    assert len([each for each in front.asked if "list-type=2" in each]) == 3


def test_a_large_object_is_read_in_parts_of_one_version_and_an_empty_one_is_one(
    world: World, bucket: Any, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_BLOCK", 500)
    put(bucket, "d101", FIRST, b"")
    world.check()
    assert world.counts("archive_corrupt_files") == {"empty": 1}
    day, asked = TODAY - timedelta(days=15), 0

    def replaced(method: str, path: str) -> None:
        nonlocal asked
        if f"{day}.csv" in path:
            asked += 1
            if asked == 2:
                put(bucket, "d101", day, eld_file(Shape(day=day, comment="forged")))

    front.spoil = replaced
    put(bucket, "d101", day)
    world.check(world.at + HOUR)
    assert world.counts("archive_unreadable_files") == {"changing": 1}


def test_r11_a_store_that_lists_and_does_not_serve_is_told_and_never_counted_complete(
    world: World, front: Front
) -> None:
    front.spoil = lambda method, path: (403, "InvalidObjectState") if ".csv" in path else None
    world.check()
    assert world.value("archive_files") == 32
    assert world.counts("archive_unreadable_files") == {"not_served": 32}
    assert {name for name, _ in world.alerts()} >= {"ArchiveUnreadable"}
    front.spoil = lambda method, path: None
    world.check(world.at + HOUR)
    assert world.counts("archive_unreadable_files") == {}


def test_a_key_that_may_not_list_is_told_and_so_is_one_that_may_not_list_a_part(world: World, front: Front) -> None:
    front.spoil = lambda method, path: (403, "AccessDenied") if "list-type" in path else None
    with pytest.raises(AuthError, match="s3://records: the store does not list it: AccessDenied"):
        world.check()
    front.spoil = lambda method, path: (403, "AccessDenied") if "list-type" in path and "d101" in path else None
    world.check(world.at + HOUR)
    assert world.counts("archive_unplaced_files") == {"folder": 1}
    assert world.value("archive_files") == 16


def test_objects_that_are_gone_when_they_are_asked_for_are_counted(world: World, front: Front) -> None:
    front.spoil = lambda method, path: (404, "NoSuchKey") if "/d101/" in path and ".csv" in path else None
    world.check()
    assert world.counts("archive_unreadable_files") == {"not_served": 16}


def test_a_key_that_expires_while_the_check_runs_ends_it_and_what_was_read_is_kept(world: World, front: Front) -> None:
    served: list[str] = []

    def expires(method: str, path: str) -> tuple[int, str] | None:
        if ".csv" in path and method == "GET":
            served.append(path)
        return (400, "ExpiredToken") if len(served) > 10 else None

    front.spoil = expires
    with pytest.raises(AuthError, match="does not accept the key: ExpiredToken"):
        world.check()
    assert world.text == ""
    front.spoil = lambda method, path: None
    front.asked.clear()
    world.check(world.at + HOUR)
    assert (world.value("archive_unread_files"), world.value("archive_gaps")) == (0, 0)
    assert len({each for each in front.asked if each.startswith("GET") and ".csv" in each}) < 32


def test_no_bucket_no_store_and_an_emptied_bucket_say_nothing_about_files(
    world: World, front: Front, bucket: Any
) -> None:
    world.check()
    front.spoil = lambda method, path: (404, "NoSuchBucket")
    with pytest.raises(UnreachableError, match="there is no such bucket"):
        world.check(world.at + HOUR)
    front.spoil = lambda method, path: None
    bucket.objects.all().delete()
    with pytest.raises(IncompleteError, match="no file at all, where 32 were"):
        world.check(world.at + HOUR)
    front.close()
    with pytest.raises(UnreachableError):
        world.check(world.at + HOUR)


def test_the_key_is_in_no_message(world: World, front: Front) -> None:
    front.spoil = lambda method, path: (403, "InvalidAccessKeyId")
    with pytest.raises(AuthError) as raised:
        world.check()
    assert "shh" not in str(raised.value)
    assert "AKID" not in str(raised.value)
