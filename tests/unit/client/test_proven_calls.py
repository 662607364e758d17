"""A provider believes nothing but what the gateway signed, for it, now, once, and for this very request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from lienthong.client import CallVerifier, ProvenCall, UnprovenCallError, UnreachableError
from lienthong.client.gateway_keys import KEPT_S, PAUSE_S, GatewayKeys
from lienthong.client.proven_calls import UsedInThisProcess, digest

GATEWAY, SYSTEM, NOW = "https://lgsp.example.vn", "H11.05/land", 1_800_000_000
KEY, NEXT, STRANGER = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(3))
TARGET, BODY = "/parcels/7?a=b%20c", b"{}"


class Gateway:
    """A gateway that publishes keys, and a clock."""

    def __init__(self, *keys: ECKey) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.away = False
        self.now = 0.0
        transport = httpx.MockTransport(self._answer)
        self.cache = GatewayKeys(
            f"{GATEWAY}/keys", client=httpx.Client(transport=transport), monotonic=lambda: self.now
        )

    def _answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            raise httpx.ConnectError("away")
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def verifier(self, **options: object) -> CallVerifier:
        return CallVerifier(GATEWAY, SYSTEM, keys=self.cache, now=lambda: NOW, **options)  # type: ignore[arg-type]


def assertion(key: ECKey = KEY, header: dict[str, Any] | None = None, **changed: object) -> str:
    """An assertion; `changed` replaces claims, None removes."""
    claims = {
        "iss": GATEWAY,
        "aud": SYSTEM,
        "sub": "H11.01/one-stop",
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "01a",
        "service": f"{SYSTEM}/parcels-v1",
        "operation": "getParcel",
        "agreement": "one-stop-parcels",
        "purpose": "land-procedure",
        "method": "POST",
        "target_digest": digest(TARGET.encode()),
        "content_digest": digest(BODY),
        "user": "079090000001",
    } | changed
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    protected = {"alg": "ES256", "typ": "lgsp-assertion+jwt", "kid": key.kid} | (header or {})
    if not protected["typ"]:
        del protected["typ"]
    return jws.serialize_compact(protected, payload, key, algorithms=["ES256", "HS256"])


def verify(verifier: CallVerifier, text: str | None, **other: object) -> ProvenCall:
    return verifier.verify(text, **{"method": "POST", "target": TARGET, "body": BODY} | other)  # type: ignore[arg-type]


def refusal(text: str | None, verifier: CallVerifier | None = None, **other: object) -> str:
    with pytest.raises(UnprovenCallError) as refused:
        verify(verifier or Gateway(KEY).verifier(), text, **other)
    assert refused.value.detail is not None
    return refused.value.code


def test_what_the_gateway_signed_is_proven() -> None:
    call = verify(Gateway(KEY).verifier(), assertion())
    assert (call.client, call.transaction_id, call.purpose) == ("H11.01/one-stop", "01a", "land-procedure")
    assert (call.user, call.case, call.issued_at) == ("079090000001", None, NOW)
    assert call.has_body(BODY)
    assert not call.has_body(b"other")


def test_a_call_for_a_person_says_for_whom_and_through_whose_hands() -> None:
    act = {"sub": "H11.01/one-stop", "act": {"sub": "H11.01/portal"}}
    call = verify(Gateway(KEY).verifier(), assertion(person="0193a1b2", act=act))
    assert (call.person, call.actors) == ("0193a1b2", ("H11.01/one-stop", "H11.01/portal"))
    ordinary = verify(Gateway(KEY).verifier(), assertion())
    assert (ordinary.person, ordinary.actors) == (None, ())
    odd: object
    for odd in (7, "x", [], {}, {"sub": 7}):
        assert verify(Gateway(KEY).verifier(), assertion(person="p", act=odd)).actors == ()
    assert refusal(assertion(person=7)) == "assertion-malformed"


async def test_an_event_loop_verifies_too() -> None:
    verifier = Gateway(KEY).verifier()
    call = await verifier.verify_async(assertion(), method="POST", target=TARGET, body=BODY)
    assert call.client == "H11.01/one-stop"


HS = OctKey.import_key(json.dumps(KEY.as_dict(private=False)).encode().ljust(64))
UNSIGNED = assertion().rpartition(".")[0] + "."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(None, "assertion-missing", id="none"),
        pytest.param("", "assertion-missing", id="empty"),
        pytest.param("a.b.c", "assertion-malformed", id="no JSON"),
        pytest.param("e30.e30.x", "assertion-malformed", id="empty header"),
        pytest.param("é.b.c", "assertion-malformed", id="not ASCII"),
        pytest.param("W10.b.c", "assertion-malformed", id="a list"),
        pytest.param("a" * 20_000, "assertion-malformed", id="long"),
        pytest.param(UNSIGNED, "assertion-signature", id="no signature"),
        pytest.param(assertion()[:-4] + "AAAA", "assertion-signature", id="another signature"),
        pytest.param(assertion(STRANGER), "assertion-unknown-key", id="a stranger's key"),
        pytest.param(assertion(STRANGER, {"kid": KEY.kid}), "assertion-signature", id="under the key's name"),
        pytest.param(assertion(header={"typ": "at+jwt"}), "assertion-malformed", id="an access token"),
        pytest.param(assertion(header={"typ": ""}), "assertion-malformed", id="no type"),
        pytest.param(assertion(iss="https://other"), "assertion-issuer", id="of another gateway"),
        pytest.param(assertion(aud="H11.06/other"), "assertion-audience", id="for another system"),
        pytest.param(assertion(aud=[SYSTEM]), "assertion-malformed", id="an audience as a list"),
        pytest.param(assertion(exp=NOW - 10), "assertion-expired", id="expired"),
        pytest.param(assertion(iat=NOW + 61), "assertion-not-yet-valid", id="of the future"),
        pytest.param(assertion(exp=None), "assertion-malformed", id="no end"),
        pytest.param(assertion(exp="1"), "assertion-malformed", id="an end as text"),
        pytest.param(assertion(exp=True), "assertion-malformed", id="an end as a truth"),
        pytest.param(assertion(sub=None), "assertion-malformed", id="nobody"),
        pytest.param(assertion(jti=None), "assertion-malformed", id="no id"),
        pytest.param(assertion(method="GET"), "assertion-other-request", id="another method"),
        pytest.param(assertion(target_digest=digest(b"/")), "assertion-other-request", id="another path"),
        pytest.param(assertion(content_digest=digest(b"x")), "assertion-other-body", id="another body"),
    ],
)
def test_everything_else_is_refused_and_told_apart(text: str | None, code: str) -> None:
    assert refusal(text) == code


def test_no_other_algorithm_is_taken() -> None:
    forged = jws.serialize_compact(
        {"alg": "HS256", "typ": "lgsp-assertion+jwt", "kid": KEY.kid}, b"{}", HS, algorithms=["HS256"]
    )
    assert refusal(forged) == "assertion-malformed"


def test_an_assertion_is_good_once() -> None:
    verifier = Gateway(KEY).verifier()
    verify(verifier, assertion())
    assert refusal(assertion(), verifier) == "assertion-replayed"
    verify(verifier, assertion(jti="01b"))


def test_one_that_was_refused_was_not_used() -> None:
    verifier = Gateway(KEY).verifier()
    assert refusal(assertion(), verifier, target="/other") == "assertion-other-request"
    verify(verifier, assertion())


def test_what_was_used_is_forgotten_once_it_has_expired_and_beyond_the_limit() -> None:
    now = 0.0
    used = UsedInThisProcess(2, now=lambda: now)
    assert used.first_use("a", 10)
    assert not used.first_use("a", 10)
    now = 10.0
    assert used.first_use("a", 20)
    assert used.first_use("b", 20)
    assert used.first_use("c", 20)
    assert not used.first_use("c", 20)
    assert used.first_use("a", 20)


def test_clocks_may_differ_a_little() -> None:
    for text in (assertion(exp=NOW - 9), assertion(iat=NOW + 10)):
        verify(Gateway(KEY).verifier(), text)


def test_a_base_path_is_not_part_of_what_was_called() -> None:
    verifier = Gateway(KEY).verifier(base_path="/base/")
    verify(verifier, assertion(), target=f"/base{TARGET}")


def test_a_body_that_was_not_seen_as_a_whole_is_taken_unless_a_digest_is_needed() -> None:
    text = assertion(content_digest=None)
    call = verify(Gateway(KEY).verifier(), text)
    assert not call.has_body(BODY)
    assert refusal(text, Gateway(KEY).verifier(needs_digest=True)) == "assertion-without-digest"
    verify(Gateway(KEY).verifier(), assertion(), body=None)


def test_a_new_key_is_fetched_once_it_signs() -> None:
    gateway = Gateway(KEY)
    verifier = gateway.verifier()
    verify(verifier, assertion())
    gateway.keys.append(NEXT)
    gateway.now += PAUSE_S
    verify(verifier, assertion(NEXT, jti="01b"))
    assert gateway.asked == 2


def test_made_up_keys_cause_no_flood_of_requests() -> None:
    gateway = Gateway(KEY)
    verifier = gateway.verifier()
    for _ in range(100):
        assert refusal(assertion(STRANGER), verifier) == "assertion-unknown-key"
    assert gateway.asked == 1
    verify(verifier, assertion())


def test_while_the_gateway_is_away_known_keys_are_used_on() -> None:
    gateway = Gateway(KEY)
    verifier = gateway.verifier()
    verify(verifier, assertion())
    gateway.away, gateway.now = True, KEPT_S
    verify(verifier, assertion(jti="01b"))
    assert gateway.asked == 2


def test_without_any_key_it_says_where_it_looked() -> None:
    gateway = Gateway(KEY)
    gateway.away = True
    verifier = gateway.verifier()
    for _ in range(2):
        with pytest.raises(UnreachableError) as missing:
            asyncio.run(verifier.verify_async(assertion(), method="POST", target=TARGET))
        assert missing.value.detail is not None
        assert f"{GATEWAY}/keys" in missing.value.detail.en
    gateway.away = False
    gateway.now += PAUSE_S
    verify(verifier, assertion())


@pytest.mark.parametrize(
    "document", [[], {}, {"keys": []}, {"keys": [{"kty": "oct", "k": "AA"}]}, {"keys": 1}]
)
def test_what_is_no_key_set_is_not_taken_for_one(document: object) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    keys = GatewayKeys("https://x/keys", client=httpx.Client(transport=transport))
    with pytest.raises(UnreachableError):
        CallVerifier(GATEWAY, SYSTEM, keys=keys).verify(assertion(), method="GET", target="/")
