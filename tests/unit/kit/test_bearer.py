"""One reading of the Authorization field, to the byte: the gateway's is the services'."""

from __future__ import annotations

import json
import re
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.gateway.authenticate import Authenticator
from lienthong.gateway.proofs.judge import ProofJudge
from lienthong.gateway.proofs.seen import SeenProofs
from lienthong.gateway.request_headers import RequestHeaders
from lienthong.kit.access import Access, Caller, require
from lienthong.kit.bearer import authorization_of, credentials
from lienthong.kit.clock import ManualClock
from lienthong.kit.dpop import ProofReader
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.problems import ProblemError
from lienthong.kit.rest import install_problem_handlers
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.support.rpc import rpc_trust

tokens = st.from_regex(r"[A-Za-z0-9._~+/-]{1,40}={0,3}", fullmatch=True)
schemes = st.sampled_from(["Bearer", "bearer", "BEARER", "bEaReR", "DPoP", "dpop", "DPOP"])


def read(authorization: bytes | None) -> str:
    """The token, or the code of the problem in brackets."""
    try:
        sent = credentials(authorization)
    except ProblemError as problem:
        return f"<{problem.code}>"
    return f"{sent.token}{' with a proof' if sent.with_proof else ''}"


@given(schemes, st.integers(1, 50), tokens, st.text(" \t", max_size=5), st.text(" \t", max_size=5))
def test_every_spelling_of_the_rfc_is_read(
    scheme: str, spaces: int, token: str, before: str, after: str
) -> None:
    expected = f"{token}{' with a proof' if scheme.lower() == 'dpop' else ''}"
    assert read(f"{before}{scheme}{' ' * spaces}{token}{after}".encode()) == expected


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"Bearer " + tail))
@example(b"Bearer \xa0abc")
@example(b"Bearer abc\x85")
@example(b"Bearer\tabc")
@example(b"Bearer \tabc")
@example(b"Bearer abc def")
@example(b"Bearer abc, Bearer def")
@example(b"Bearer a=b")
@example(b"Bearer =")
@example(b"Bearer\n abc")
def test_everything_else_is_refused(value: bytes) -> None:
    grammar = re.fullmatch(rb"[ \t]*(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)[ \t]*", value)
    found = read(value)
    if grammar is not None:
        assert found.encode() == grammar[1]
    else:
        assert found in ("<no-token>", "<token-refused>")


@pytest.mark.parametrize(
    "value", [None, b"", b" ", b"Bearer", b"Bearer  ", b"BearerX a", b"DPoP", b"DPoPX a", b"Basic dTpw", b"a"]
)
def test_without_a_credential_there_is_no_token(value: bytes | None) -> None:
    assert read(value) == "<no-token>"


def test_of_two_fields_neither_is_taken() -> None:
    accept = (b"accept", b"*/*")
    assert authorization_of([accept]) is None
    assert authorization_of([accept, (b"authorization", b"a")]) == b"a"
    with pytest.raises(ProblemError, match="malformed-request"):
        authorization_of([(b"authorization", b"a"), accept, (b"authorization", b"a")])


class Readers:
    """The gateway and a service, with the same keys."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        jwks = json.dumps({"keys": [self.key.as_dict(private=False)]})
        keys = IdentityKeys(1, "i", jwks, KeySet.from_jwks(jwks), frozenset())
        verifier = TokenVerifier("i", "a", self.clock)
        nonces = Nonces(rpc_trust(), self.clock)
        proofs = ProofJudge(ProofReader(["https://g"], nonces, self.clock), SeenProofs(self.clock.now))
        self.gateway = Authenticator(verifier, keys, proofs)
        self.app = FastAPI()
        install_problem_handlers(self.app)
        self.app.state.access = Access(lambda: keys, verifier, Shown(rpc_trust(), self.clock))

        @self.app.get("/")
        async def caller(caller: Annotated[Caller, Depends(require())]) -> str:
            return caller.client_id

    def token(self) -> bytes:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": "i", "aud": "a", "sub": "A/a", "client_id": "A/a", "iat": now, "exp": now + 60, "jti": "1",
        }  # fmt: skip
        return jwt.encode({"typ": "at+jwt", "alg": "ES256", "kid": self.key.kid}, claims, self.key).encode()

    def at_the_gateway(self, authorization: bytes) -> str:
        try:
            headers = RequestHeaders([], {b"authorization": authorization})
            token = self.gateway.authenticate(headers, self.clock.now(), None, method="GET", path=b"/")
        except ProblemError as problem:
            return problem.code
        return token.client_id

    async def at_the_service(self, *authorizations: bytes) -> str:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            found = await client.get("/", headers=[(b"Authorization", value) for value in authorizations])
        document = found.json()
        return document if found.status_code == 200 else str(document["code"])


@pytest.fixture(scope="module")
def readers() -> Readers:
    return Readers()


BLANKS = [
    b"",
    b" ",
    b"  ",
    b"\t",
    b" \t",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\x85",
    b"\xa0",
    b"\xc2\xa0",
    b"\xe3\x80\x80",
]


@pytest.mark.parametrize("between", BLANKS)
@pytest.mark.parametrize("after", BLANKS)
async def test_what_the_gateway_does_not_read_no_service_reads(
    readers: Readers, between: bytes, after: bytes
) -> None:
    authorization = b"Bearer" + between + readers.token() + after
    found = readers.at_the_gateway(authorization)
    assert await readers.at_the_service(authorization) == found
    assert (found == "A/a") == (between in (b" ", b"  ") and after.strip(b" \t") == b"")


async def test_two_fields_are_refused_by_a_service_too(readers: Readers) -> None:
    good = b"Bearer " + readers.token()
    assert await readers.at_the_service(good, good) == "malformed-request"
    assert await readers.at_the_service(good) == "A/a"
