"""Android Management: the key of a service account, and every way Google has to say "too many"."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.mdm.talk import NOW, collect, devices, fixture, records_of, service_account, session
from tests.vendor import Answer, Asked, Told, Vendor
from yardlight import client
from yardlight.errors import ForbiddenError, SecretError
from yardlight.mdm.platforms import android_management

LIST = "/v1/enterprises/LC00fleet/devices"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_token_is_asked_for_by_what_the_key_signed(tmp_path: Path) -> None:
    _, told, asked = collect("android_management", tmp_path)
    form = asked[0].form
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    head, claims, signature = form["assertion"].split(".")
    private = load_pem_private_key(json.loads(service_account())["private_key"].encode(), None)
    assert isinstance(private, RSAPrivateKey)
    private.public_key().verify(decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    assert json.loads(decoded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert json.loads(decoded(claims)) == {
        "iss": "reader@fleet.example",
        "scope": "https://www.googleapis.com/auth/androidmanagement",
        "aud": f"{told.base}/token",
        "iat": NOW,
        "exp": NOW + 3600,
    }
    assert {one.headers["authorization"] for one in asked[1:]} == {"Bearer token-1"}


def test_an_enterprise_is_named_by_its_whole_name_or_its_id(tmp_path: Path) -> None:
    said = fixture("android_management")
    said["options"]["enterprise"] = "enterprises/LC00fleet"
    assert len(devices(collect("android_management", tmp_path, said)[0])) == 5


@pytest.mark.parametrize("content", ["no JSON", "{}", '{"private_key": "x", "client_email": "a"}', "[1]"])
def test_a_file_that_is_no_key_is_said_to_be_none(content: str, tmp_path: Path) -> None:
    config = android_management.Config(enterprise="LC1", key_file="other.json")
    under_way = session(tmp_path)
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(SecretError, match=r"^'other\.json' is no key of a service account; take one of type JSON$"):
        android_management.fetch(config, under_way)


@pytest.mark.parametrize(
    "error",
    [{"status": "RESOURCE_EXHAUSTED"}, {"errors": [{"reason": "rateLimitExceeded"}]}],
    ids=["status", "reason"],
)
def test_too_many_requests_said_as_forbidden_are_waited_for(error: dict[str, Any], tmp_path: Path) -> None:
    refusals = [Answer({"error": {"code": 403, **error}}, 403)]
    told = Told(fixture("android_management"))

    def script(asked: Asked) -> Answer:
        return refusals.pop() if refusals and asked.path == LIST else told(asked)

    with Vendor(script) as vendor:
        found = records_of("android_management", tmp_path, fixture("android_management"), vendor.url)
    assert len(devices(found)) == 5


def test_forbidden_is_not_waited_for(tmp_path: Path) -> None:
    told = Told(fixture("android_management"))
    denied = Answer({"error": {"code": 403, "status": "PERMISSION_DENIED"}}, 403)
    with (
        Vendor(lambda asked: denied if asked.path == LIST else told(asked)) as vendor,
        pytest.raises(ForbiddenError),
    ):
        records_of("android_management", tmp_path, fixture("android_management"), vendor.url)
    assert len([one for one in vendor.asked if one.path == LIST]) == 1


def test_without_the_policies_no_app_is_unapproved_and_none_is_approved(tmp_path: Path) -> None:
    told = Told(fixture("android_management"))
    with Vendor(lambda asked: Answer({}, 403) if asked.path.endswith("/policies") else told(asked)) as vendor:
        found = devices(records_of("android_management", tmp_path, fixture("android_management"), vendor.url))
    assert {device.unapproved for device in found} == {None}
    assert len(found) == 5
