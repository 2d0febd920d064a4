"""An archive in a store that speaks S3, by s3fs (an optional extra): listed by prefix in pages, read object by object.

Credentials that end while a check runs are the store's fault and end the check; an object that is listed and not
served is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import s3fs
from fsspec.asyn import sync

from yardlight.collection import Session
from yardlight.errors import AuthError, PollError, SecretError, UnreachableError
from yardlight.inventory.archives import Place
from yardlight.records.store import MOST_IN_FOLDER, Listing, Opened, UnreadableError

T = TypeVar("T")
_PAGE = 1000
_EXPIRED = frozenset({
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired",
    "SignatureDoesNotMatch", "RequestTimeTooSkewed",
})  # fmt: skip
_BLOCK = 8 * 2**20


class S3Store:
    """A bucket, or what lies below a prefix of it."""

    def __init__(self, place: Place, base: Path, session: Session) -> None:
        self._bucket, _, prefix = place.path.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = place.endpoint or "s3.amazonaws.com"
        client: dict[str, Any] = {"region_name": place.region} if place.region else {}
        if place.ca_file:
            client["verify"] = str(base / place.ca_file)
        self._files = s3fs.S3FileSystem(
            **_keys(place, session),
            endpoint_url=place.endpoint,
            client_kwargs=client,
            config_kwargs={"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 2}},
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        self._files.retries = 2

    def stamp(self, path: str) -> str | None:
        # A prefix is no thing of its own.
        return None

    def folder(self, path: str) -> Listing:
        found = Listing()
        prefix = self._prefix + (f"{path}/" if path else "")
        more: dict[str, str] = {}
        while True:
            ask = partial(self._files.call_s3, "list_objects_v2", Bucket=self._bucket, Prefix=prefix, **more)
            try:
                page = self._asked(partial(ask, Delimiter="/", MaxKeys=_PAGE))
            except _NotServedError as error:
                if path:
                    raise UnreadableError("folder", f"{path}: the store does not list it: {error}") from None
                raise AuthError(f"s3://{self._bucket}: the store does not list it: {error}") from None
            found.folders += [each["Prefix"][len(prefix) : -1] for each in page.get("CommonPrefixes", ())]
            found.rows += [_row(each, prefix) for each in page.get("Contents", ()) if each["Key"] != prefix]
            if len(found.rows) > MOST_IN_FOLDER:
                raise UnreadableError("too_many", f"{path or '.'}: more than {MOST_IN_FOLDER} objects in a folder")
            if not page.get("IsTruncated"):
                break
            more = {"ContinuationToken": page["NextContinuationToken"]}
        found.rows.sort()
        if "" in found.folders:
            # A key with two slashes in a row has no place in any pattern.
            found.folders.remove("")
            found.odd["name"] += 1
        return found

    @contextmanager
    def open(self, path: str) -> Iterator[Opened]:
        try:
            yield _S3File(partial(self._part, f"{self._prefix}{path}"))
        except FileNotFoundError:
            raise UnreadableError("not_served", "the store lists it and does not have it") from None
        except _NotServedError as error:
            if str(error) in ("PreconditionFailed", "412"):
                raise UnreadableError("changing", "somebody replaced it") from None
            raise UnreadableError("not_served", f"the store lists it and does not serve it: {error}") from None

    def _part(self, key: str, start: int, etag: str | None) -> tuple[bytes, int, str]:
        """A part of an object from `start` on, how large all of it is, and its etag; only of the version of `etag`."""
        same = {"IfMatch": etag} if etag else {}
        span = f"bytes={start}-{start + _BLOCK - 1}"
        ask = partial(self._files.call_s3, "get_object", Bucket=self._bucket, Key=key, Range=span, **same)

        def asked() -> tuple[bytes, int, str]:
            try:
                told = ask()
            except Exception as error:
                # Of nothing there is no part.
                if not start and _code(error) in ("InvalidRange", "416"):
                    return b"", 0, ""
                raise
            data: bytes = sync(self._files.loop, told["Body"].read)
            return data, int(str(told.get("ContentRange", "")).rpartition("/")[2] or len(data)), told.get("ETag", "")

        return self._asked(asked)

    def free(self) -> int | None:
        return None

    def device(self) -> str:
        return f"store {self._endpoint} {self._bucket}"

    def _asked(self, question: Callable[[], T]) -> T:
        """The store's answer. Raises `PollError`, and for one object's own trouble what `open` knows."""
        try:
            return question()
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise UnreachableError(f"s3://{self._bucket}: there is no such bucket") from None
            raise
        except Exception as error:
            raise self._mapped(error) from None

    def _mapped(self, error: Exception) -> Exception:
        if isinstance(error, PollError | UnreadableError | _NotServedError):
            return error
        code = _code(error)
        if code in _EXPIRED:
            return AuthError(f"s3://{self._bucket}: the store does not accept the key: {code}")
        if code == "NoSuchBucket":
            return UnreachableError(f"s3://{self._bucket}: there is no such bucket")
        if code or isinstance(error, PermissionError):
            return _NotServedError(code or "permission denied")
        return UnreachableError(f"s3://{self._bucket}: {type(error).__name__}")


class _NotServedError(Exception):
    """The store refuses one thing; its text is the store's code for why."""


class _S3File:
    """An object, part by part: a small one costs one request."""

    def __init__(self, part: Callable[[int, str | None], tuple[bytes, int, str]]) -> None:
        self._part = part
        self._data, self.size, self._etag = part(0, None)
        self._at = self._next = 0
        self.stamp: str | None = None

    def read(self, size: int) -> bytes:
        if self._at == len(self._data):
            self._next += len(self._data)
            if self._next >= self.size or not self._data:
                return b""
            self._data, _, _ = self._part(self._next, self._etag)
            self._at = 0
        data = self._data[self._at : self._at + size]
        self._at += len(data)
        return data

    def unchanged(self) -> bool:
        # An object is replaced as a whole, and every part was one of the same version.
        return True


def _keys(place: Place, session: Session) -> dict[str, Any]:
    """Access key and secret from a file with both, as ID:SECRET; without one, what the machine itself may."""
    if place.key_file is None:
        return {"anon": False}
    name, colon, secret = session.secret(place.key_file).reveal().partition(":")
    if not colon:
        raise SecretError(f"the secret file {place.key_file!r} is not ID:SECRET")
    return {"key": name.strip(), "secret": secret.strip()}


def _row(told: dict[str, Any], prefix: str) -> bytes:
    written = int(told["LastModified"].timestamp() * 1e9)
    etag = str(told.get("ETag", "")).strip('"')
    return f"{told['Key'][len(prefix) :]}\0{told['Size']}\0{written}:{etag}".encode()


def _code(error: BaseException) -> str:
    """The store's own code, from the error or what caused it."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
        seen = seen.__cause__ or seen.__context__
    return ""
