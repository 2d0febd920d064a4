"""The file of --web.config.file: TLS, client certificates and basic auth, in the format of exporter-toolkit.

Format: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. A file that
`promtool check web-config` accepts is accepted here, unless it asks for one of the few things that Python's
TLS cannot do; those are refused by name, never ignored.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from yardlight.errors import Problem, WebConfigError

_BCRYPT = re.compile(r"\$2[abxy]?\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_VERIFY = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
# Each header that may be set, and its values where they are a closed set.
_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
_UNSUPPORTED = {
    "tls_server_config.cert": "inline certificates are not supported; use cert_file",
    "tls_server_config.key": "inline keys are not supported; use key_file",
    "tls_server_config.client_ca": "inline certificates are not supported; use client_ca_file",
    "tls_server_config.client_allowed_sans": "is not supported; give the scraper a CA of its own",
    "tls_server_config.curve_preferences": "is not supported; OpenSSL's defaults are used",
    "rate_limit": "is not supported; limit requests in front of Yardlight",
}


def _bcrypt(raw: str) -> str:
    if not _BCRYPT.fullmatch(raw):
        raise ValueError("is not a bcrypt hash; make one with: htpasswd -nBC 10 '' | tr -d ':'")
    return raw


def _client_auth(raw: str) -> str:
    if raw in ("RequestClientCert", "RequireAnyClientCert"):
        raise ValueError(f"{raw} verifies nothing and is not supported; use RequireAndVerifyClientCert")
    if raw not in _VERIFY:
        raise ValueError(f"{raw!r} is not one of {', '.join(_VERIFY)}")
    return raw


def _version(raw: str) -> str:
    if raw not in _VERSIONS:
        raise ValueError(f"{raw!r} is not one of {', '.join(_VERSIONS)}")
    return raw


def _headers(raw: dict[str, str]) -> dict[str, str]:
    for name, value in raw.items():
        if name not in _HEADERS:
            raise ValueError(f"{name!r} is not one of {', '.join(_HEADERS)}")
        if not value.isprintable() or (_HEADERS[name] and value not in _HEADERS[name]):
            raise ValueError(f"{name}: {value!r} is not one of {', '.join(_HEADERS[name]) or 'printable texts'}")
    return raw


Version = Annotated[str, AfterValidator(_version)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Tls(_Model):
    cert_file: str = ""
    key_file: str = ""
    client_auth_type: Annotated[str, AfterValidator(_client_auth)] = "NoClientCert"
    client_ca_file: str = ""
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: list[str] = []
    prefer_server_cipher_suites: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.wanted:
            for field in ("cert_file", "key_file"):
                if not getattr(self, field):
                    raise ValueError(f"{field} is missing")
        if self.client_ca_file and self.client_auth_type == "NoClientCert":
            raise ValueError("client_ca_file needs a client_auth_type that verifies certificates")
        if _VERSIONS[self.min_version] > _VERSIONS[self.max_version]:
            raise ValueError("min_version is above max_version")
        return self

    @property
    def wanted(self) -> bool:
        """Whether to speak TLS at all: an empty section means plain HTTP, as in exporter-toolkit."""
        return bool(self.cert_file or self.key_file or self.client_ca_file)


class _Http(_Model):
    # HTTP/2 is negotiated: a client that asks for it gets HTTP/1.1 here.
    http2: bool = True
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = {}


class _File(_Model):
    tls_server_config: _Tls = _Tls()
    http_server_config: _Http = _Http()
    basic_auth_users: dict[str, Annotated[str, AfterValidator(_bcrypt)]] = {}


Users = Mapping[str, bytes]


@dataclass(frozen=True)
class WebConfig:
    """How the server talks. `tls` is None for plain HTTP; `users`, if any, maps names to bcrypt hashes."""

    tls: ssl.SSLContext | None
    headers: Mapping[str, str]
    users: Users


PLAIN = WebConfig(None, {}, {})


def load(path: Path) -> WebConfig:
    """Read the file and the certificates it names, relative to its own folder.

    Raises `WebConfigError` with all problems, one a line, each with file, line and field.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
        content: Any = yaml.SafeLoader("").construct_document(root) if root else None
    except (OSError, UnicodeDecodeError) as error:
        raise WebConfigError(f"{path}: cannot be read: {_reason(error)}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else f"{path}"
        raise WebConfigError(f"{place} {error.problem}") from None
    except yaml.YAMLError as error:
        raise WebConfigError(f"{path}: {error}") from None
    places = dict(_places(root)) if root else {}
    problems = [_problem(path, places, field, "stands twice") for field in _duplicates(root)]
    try:
        config = _File() if content is None else _File.model_validate(content)
    except ValidationError as error:
        problems += [_problem(path, places, *_told(detail)) for detail in error.errors()]
    if problems:
        raise WebConfigError("\n".join(map(str, problems)))
    users = {name: hash_.encode() for name, hash_ in config.basic_auth_users.items()}
    return WebConfig(_context(path, config.tls_server_config), config.http_server_config.headers, users)


def watched(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, inode and change time (ns) of the file and of those it names: changes when one is replaced."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        tls = content.get("tls_server_config") if isinstance(content, dict) else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        tls = None
    fields = ("cert_file", "key_file", "client_ca_file")
    named = [str(tls[field]) for field in fields if tls.get(field)] if isinstance(tls, dict) else []
    return tuple(_stamp(file) for file in [path, *(path.parent / name for name in named)])


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        status = file.stat()
    except OSError:
        return str(file), 0, 0
    return str(file), status.st_ino, status.st_mtime_ns


def _context(path: Path, tls: _Tls) -> ssl.SSLContext | None:
    if not tls.wanted:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]
    context.maximum_version = _VERSIONS[tls.max_version]
    if tls.prefer_server_cipher_suites:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    if tls.cipher_suites:
        context.set_ciphers(_ciphers(path, tls.cipher_suites))
    certificate, key = path.parent / tls.cert_file, path.parent / tls.key_file
    for field, file in (("cert_file", certificate), ("key_file", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise WebConfigError(f"{path}: tls_server_config.{field}: {file}: {_reason(error)}") from None
    try:
        # The password callback keeps OpenSSL from asking on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        message = f"{certificate} and {key} are not a certificate and its key"
        raise WebConfigError(f"{path}: tls_server_config: {message}: {_reason(error)}") from None
    context.verify_mode = _VERIFY[tls.client_auth_type]
    if tls.client_ca_file:
        authority = path.parent / tls.client_ca_file
        try:
            context.load_verify_locations(authority)
        except OSError as error:
            raise WebConfigError(f"{path}: tls_server_config.client_ca_file: {authority}: {_reason(error)}") from None
    elif context.verify_mode != ssl.CERT_NONE:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    return context


def _ciphers(path: Path, names: list[str]) -> str:
    """OpenSSL's names of suites that Go writes as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256."""
    # TLS 1.3 suites cannot be chosen in Go either; naming them has no effect there and here.
    wanted = [name for name in names if "_WITH_" in name]
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    probe.set_ciphers("ALL")
    known = {re.sub(r"[^A-Z0-9]", "", cipher["name"]): str(cipher["name"]) for cipher in probe.get_ciphers()}
    found = []
    for name in wanted:
        plain = name.removeprefix("TLS_").replace("RSA_WITH", "RSA").removeprefix("RSA_")
        plain = re.sub(r"_(CBC|WITH)(?=_)", "", plain).replace("POLY1305_SHA256", "POLY1305")
        key = re.sub(r"[^A-Z0-9]", "", plain)
        if key not in known:
            raise WebConfigError(f"{path}: tls_server_config.cipher_suites: this OpenSSL does not offer {name}")
        found.append(known[key])
    return ":".join(found) or "DEFAULT"


def _places(node: yaml.Node, field: str = "") -> Iterator[tuple[str, tuple[int, int]]]:
    """Each field's line and column, from 1."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{field}.{key.value}".lstrip(".")
            yield name, (key.start_mark.line + 1, key.start_mark.column + 1)
            yield from _places(value, name)


def _duplicates(node: yaml.Node | None, field: str = "") -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = f"{field}.{key.value}".lstrip(".")
            if name in seen:
                yield name
            seen.add(name)
            yield from _duplicates(value, name)


def _told(detail: Any) -> tuple[str, str]:
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "model_type":
        return field, "is not a mapping"
    if detail["type"] == "extra_forbidden":
        return field, _UNSUPPORTED.get(field, "is not a field of the web configuration")
    return field, str(detail["msg"]).removeprefix("Value error, ")


def _problem(path: Path, places: Mapping[str, tuple[int, int]], field: str, message: str) -> Problem:
    return Problem(str(path), *places.get(field, (0, 0)), field, message)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
