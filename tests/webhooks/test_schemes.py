"""Who signed a call: vendors' ways, made here with openssl's own HMAC, and everything that only looks like them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.inventory.values import Secret
from yardlight.inventory.webhooks import Signature
from yardlight.webhooks.schemes import SCHEMES, key_of, refusal

NOW = 1_767_600_900.0
BODY = b'{"eventId": "1"}'
SAMSARA = SCHEMES["samsara"].signature


def samsara(body: bytes = BODY, key: bytes = b"key", stamp: str = f"{NOW:.0f}") -> dict[str, str]:
    digest = hmac.new(key, b"v1:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Samsara-Timestamp": stamp, "X-Samsara-Signature": f"v1={digest}"}


def test_samsara_signs_version_time_and_body_with_what_its_secret_encodes() -> None:
    keys = [key_of(Secret(base64.b64encode(b"key").decode()), SAMSARA)]
    assert refusal(BODY, samsara(), SAMSARA, keys, NOW) is None
    assert refusal(BODY + b" ", samsara(), SAMSARA, keys, NOW) == "signature"
    assert refusal(BODY, samsara() | {"X-Samsara-Timestamp": f"{NOW + 1:.0f}"}, SAMSARA, keys, NOW) == "signature"


def test_motive_signs_the_body_with_sha1_as_in_the_example_of_its_documents() -> None:
    motive = SCHEMES["motive"].signature
    headers = {"X-KT-Webhook-Signature": "f04a8386a21a6cba0447024e83b3f0983352bb72"}
    keys = [key_of(Secret("d9d36bea41c44ae49d1bfc4a48ba2abe"), motive)]
    assert refusal(b'["fault_code_closed"]', headers, motive, keys, NOW) is None
    assert refusal(b'["fault_code_opened"]', headers, motive, keys, NOW) == "signature"


def test_fleetio_signs_the_body_with_sha256() -> None:
    fleetio = SCHEMES["fleetio"].signature
    headers = {"X-Fleetio-Webhook-Signature": hmac.new(b"key", BODY, hashlib.sha256).hexdigest()}
    assert refusal(BODY, headers, fleetio, [b"key"], NOW) is None
    assert refusal(BODY, headers, fleetio, [b"yek"], NOW) == "signature"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_of_your_own_description_is_checked_as_it_says(algorithm: str, encoding: str) -> None:
    own = Signature.model_validate(
        {"header": "X-Sig", "algorithm": algorithm, "encoding": encoding, "prefix": "s=", "timestamp": "X-At",
         "message": "{timestamp}.{body}.end"}
    )  # fmt: skip
    digest = hmac.new(b"key", f"{NOW:.0f}.".encode() + BODY + b".end", algorithm)
    said = digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()
    headers = {"X-Sig": f"s={said}", "X-At": f"{NOW:.0f}"}
    assert refusal(BODY, headers, own, [b"key"], NOW) is None
    assert refusal(BODY, headers | {"X-Sig": said}, own, [b"key"], NOW) == "signature"
    assert refusal(BODY, headers, own, [b"other"], NOW) == "signature"


def test_either_of_two_secrets_is_right_while_they_are_changed() -> None:
    for key in (b"old", b"new"):
        assert refusal(BODY, samsara(key=key), SAMSARA, [b"old", b"new"], NOW) is None
    assert refusal(BODY, samsara(key=b"older"), SAMSARA, [b"old", b"new"], NOW) == "signature"


@pytest.mark.parametrize(("off", "expected"), [(-300, None), (300, None), (-301, "timestamp"), (301, "timestamp")])
def test_what_was_signed_long_ago_or_far_ahead_is_refused(off: float, expected: str | None) -> None:
    assert refusal(BODY, samsara(stamp=f"{NOW + off:.0f}"), SAMSARA, [b"key"], NOW) == expected


@pytest.mark.parametrize("stamp", ["1767600900123", "2026-01-05T08:15:00Z", "2026-01-05T00:15:00.5-08:00"])
def test_a_time_may_be_in_milliseconds_or_as_people_write_it(stamp: str) -> None:
    assert refusal(BODY, samsara(stamp=stamp), SAMSARA, [b"key"], NOW) is None
    assert refusal(BODY, samsara(stamp=stamp), SAMSARA, [b"key"], NOW + 302) == "timestamp"


@pytest.mark.parametrize("stamp", ["", "now", "nan", "inf", "-inf", "1e999", "{body}", "1767600900 "])
def test_a_time_that_is_none_is_refused_however_well_it_is_signed(stamp: str) -> None:
    expected = None if stamp.strip() == "1767600900" else "timestamp"
    assert refusal(BODY, samsara(stamp=stamp), SAMSARA, [b"key"], NOW) == expected


@pytest.mark.parametrize("said", ["", "v1=", "v2=00", "v1=zz", "v1=é", "v1=" + "0" * 64, "00" * 32])
def test_what_is_no_signature_is_refused(said: str) -> None:
    assert refusal(BODY, samsara() | {"X-Samsara-Signature": said}, SAMSARA, [b"key"], NOW) == "signature"
    assert refusal(BODY, {}, SAMSARA, [b"key"], NOW) == "signature"


@given(st.text(), st.text(), st.binary())
def test_whatever_is_sent_without_the_key_is_refused(stamp: str, said: str, body: bytes) -> None:
    headers = {"X-Samsara-Timestamp": stamp, "X-Samsara-Signature": said}
    assert refusal(body, headers, SAMSARA, [b"a key that nobody finds"], NOW) == "signature"


@pytest.mark.parametrize("kind", ["base64", "hex"])
def test_a_secret_that_is_not_what_it_should_be_is_named_without_its_text(kind: str) -> None:
    with pytest.raises(ValueError, match=f"^the secret is not {kind}$") as raised:
        key_of(Secret("not-that!"), SAMSARA.model_copy(update={"key": kind}))
    assert "not-that!" not in str(raised.value)
