"""Systems in a cluster prove themselves with the tokens of their Kubernetes service accounts."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from lienthong.identity.domain.clusters import ClustersFileError
from lienthong.identity.domain.service_accounts import LONGEST_LIFE_S
from lienthong.identity.events import SystemEvent
from lienthong.kit.clock import ManualClock
from tests.integration.identity.harness import ISSUER, RSA, SYSTEM, TOKEN_ENDPOINT, running, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.integration.identity.harness import Process

CLUSTER = "https://kubernetes.default.svc.cluster.local"
NAMESPACE, NAME = "one-stop", "backend"
SIGNER = RSA
OTHER = ECKey.generate_key("P-256")
STRANGER = RSAKey.generate_key(2048)


def account_token(
    now: float,
    *,
    key: RSAKey | ECKey = SIGNER,
    header: dict[str, Any] | None = None,
    **changes: object,
) -> str:
    """A token as an API server writes it for a pod, but for the changes; `...` leaves a claim out."""
    at = int(now)
    claims: dict[str, Any] = {
        "aud": [ISSUER],
        "exp": at + 3600,
        "iat": at,
        "iss": CLUSTER,
        "jti": "5b1f1f3c-4f0e-4b0e-9f0d-0a4c7cf3a6b1",
        "kubernetes.io": {
            "namespace": NAMESPACE,
            "node": {"name": "worker-1", "uid": "b6a3a5c4-98a4-4a59-a7c0-4dd4a0c4f0a1"},
            "pod": {"name": "backend-7d9c5b9f4-abcde", "uid": "0dd440a6-1213-4faa-a69e-398b83d2dd6b"},
            "serviceaccount": {"name": NAME, "uid": "c26ad760-9067-4d90-a327-b3d6e32bce42"},
        },
        "nbf": at,
        "sub": f"system:serviceaccount:{NAMESPACE}:{NAME}",
        **changes,
    }
    algorithm = {"RSA": "RS256", "EC": "ES256"}[key.key_type]
    head = {"alg": algorithm, "kid": "signer", **(header or {})}
    said = {name: value for name, value in claims.items() if value is not ...}
    signed = f"{_part(head)}.{_part(said)}"
    if head["alg"] == "none":
        return f"{signed}."
    if head["alg"] == "HS256":
        return f"{signed}.{_text(hmac.digest(SIGNER.as_pem(private=False), signed.encode(), 'sha256'))}"
    signature = JWSRegistry.algorithms[algorithm].sign(signed.encode(), key)
    return f"{signed}.{_text(signature)}"


def _part(content: dict[str, Any]) -> str:
    return _text(json.dumps(content).encode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def key_set(**keys: Any) -> str:  # noqa: ANN401
    listed = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in keys.items()]
    return json.dumps({"keys": listed})


def event(version: int = 1, *, accounts: list[dict[str, str]] | None = None, **changes: Any) -> SystemEvent:  # noqa: ANN401
    """The system whose backend runs in the cluster; it has no key."""
    named = [{"issuer": CLUSTER, "namespace": NAMESPACE, "name": NAME}] if accounts is None else accounts
    resource = {"spec": {"jwks": {"keys": []}, "serviceAccounts": named}, "status": "active"} | changes
    return SystemEvent.model_validate(
        {"version": version, "kind": "System", "id": SYSTEM, "action": "upserted", "resource": resource}
    )


@dataclass
class ApiServer:
    """What answers at `/openid/v1/jwks`, to who shows the pod's token."""

    port: int = 0
    document: str = field(default_factory=lambda: key_set(signer=SIGNER))
    status: int = 200
    seen: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.seen.append(head)
        body = self.document.encode()
        lines = f"HTTP/1.1 {self.status} X\r\nlocation: /x\r\nconnection: close\r\n"
        writer.write(f"{lines}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@dataclass
class Place:
    process: Process
    clock: ManualClock
    api: ApiServer
    folder: Path

    def token(self, **changes: Any) -> str:  # noqa: ANN401
        return account_token(self.clock.now().timestamp(), **changes)

    async def ask(self, token: str | None, **parameters: str | None) -> httpx.Response:
        return await self.process.ask(token, **{"client_id": SYSTEM, **parameters})


@asynccontextmanager
async def a_place(folder: Path, database_url: str, *, in_file: bool = False) -> AsyncIterator[Place]:
    clock, api = ManualClock(), ApiServer()
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    api.port = server.sockets[0].getsockname()[1]
    (folder / "pod-token").write_text("the-pods-own\n")
    (folder / "jwks.json").write_text(key_set(signer=SIGNER))
    where = f'jwks_url = "http://127.0.0.1:{api.port}/openid/v1/jwks"\ntoken_file = "{folder / "pod-token"}"'
    if in_file:
        where = f'jwks_file = "{folder / "jwks.json"}"'
    (folder / "clusters.toml").write_text(f'[[cluster]]\nissuer = "{CLUSTER}"\n{where}\n')
    settings = settings_for(folder, database_url, identity_clusters_file=folder / "clusters.toml")
    try:
        async with running(settings, clock=clock) as process:
            await process.core.registry.follow(event())
            yield Place(process, clock, api, folder)
            await process.core.authentication.close()
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def place(tmp_path: Path, database_url: str) -> AsyncIterator[Place]:
    async with a_place(tmp_path, database_url) as opened:
        yield opened


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Place]:
    """On SQLite: what is refused here does not depend on the database."""
    async with a_place(tmp_path, f"sqlite+aiosqlite:///{tmp_path / 'test.db'}", in_file=True) as opened:
        yield opened


async def test_a_pod_gets_tokens_with_the_one_that_is_projected_into_it(place: Place) -> None:
    projected = place.token()
    for _ in range(3):
        answer = await place.ask(projected)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["scope"], answer.headers["lgsp-client"]) == ("api events", SYSTEM)
    (asked,) = place.api.seen
    assert asked.startswith("GET /openid/v1/jwks ")
    assert "Bearer the-pods-own" in asked
    # An hour later the kubelet has renewed it.
    place.clock.advance(3601 + 10)
    assert (await place.ask(projected)).json()["error"] == "invalid_client"
    assert (await place.ask(place.token())).status_code == 200


async def test_it_proves_the_client_at_every_endpoint(place: Place) -> None:
    issued = (await place.ask(place.token(aud=[TOKEN_ENDPOINT]))).json()["access_token"]
    form = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": place.token(),
        "client_id": SYSTEM,
        "token": issued,
    }
    answer = await place.process.http.post("/oauth2/introspect", data=form)
    assert (answer.status_code, answer.json()["active"]) == (200, True)


async def test_the_catalog_says_which_accounts_and_changes_are_on_record(place: Place) -> None:
    registry = place.process.core.registry
    elsewhere = [{"issuer": CLUSTER, "namespace": NAMESPACE, "name": "other"}]
    await registry.follow(event(2, accounts=elsewhere))
    assert (await place.ask(place.token())).json()["error"] == "invalid_client"
    both = [*elsewhere, {"issuer": CLUSTER, "namespace": NAMESPACE, "name": NAME}]
    await registry.follow(event(3, accounts=both))
    assert (await place.ask(place.token())).status_code == 200
    known = await registry.find(SYSTEM)
    assert known is not None
    assert [one.name for one in known.service_accounts] == [NAME, "other"]
    await registry.follow(event(4, accounts=both, status="suspended"))
    assert (await place.ask(place.token())).json()["error"] == "unauthorized_client"
    await registry.follow(event(5, accounts=[]))
    assert (await place.ask(place.token())).json()["error"] == "invalid_client"


async def test_keys_are_rotated_without_a_restart(place: Place) -> None:
    assert (await place.ask(place.token())).status_code == 200
    place.api.document = key_set(signer=SIGNER, newer=OTHER)
    newer = {"key": OTHER, "header": {"kid": "newer"}}
    assert (await place.ask(place.token(**newer))).json()["error"] == "invalid_client"
    place.clock.advance(10)
    assert (await place.ask(place.token(**newer))).status_code == 200
    assert len(place.api.seen) == 2


async def test_identity_starts_and_goes_on_without_the_cluster(place: Place) -> None:
    place.api.status = 503
    refused = await place.ask(place.token())
    assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
    assert refused.headers["retry-after"] == "10"
    key = ECKey.generate_key("P-256")
    await place.process.register(key, "H11.05/land")
    own = await place.process.ask(place.process.assertion(key, "H11.05/land"))
    assert own.status_code == 200
    place.clock.advance(10)
    place.api.status = 200
    assert (await place.ask(place.token())).status_code == 200
    place.api.status = 500
    place.clock.advance(3000)
    assert (await place.ask(place.token())).status_code == 200


@pytest.mark.parametrize(
    ("status", "document"), [(302, None), (401, None), (200, "x"), (200, '{"keys":[]}'), (200, " " * 300_000)]
)
async def test_what_an_api_server_should_not_answer_is_no_key_set(
    small: Place, status: int, document: str | None
) -> None:
    where = f'jwks_url = "http://127.0.0.1:{small.api.port}/openid/v1/jwks"'
    (small.folder / "clusters.toml").write_text(f'[[cluster]]\nissuer = "{CLUSTER}"\n{where}\n')
    small.api.status, small.api.document = status, document or small.api.document
    settings = small.process.settings
    async with running(settings, clock=small.clock) as process:
        answer = await process.ask(small.token(), client_id=SYSTEM)
        await process.core.authentication.close()
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert len(small.api.seen) == 1


async def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, small: Place) -> None:
    (tmp_path / "clusters.toml").write_text("nonsense")
    with pytest.raises(ClustersFileError, match=r"clusters\.toml"):
        async with running(small.process.settings, clock=small.clock):
            raise AssertionError


KUBERNETES = {
    "namespace": NAMESPACE,
    "serviceaccount": {"name": NAME, "uid": "c26ad760-9067-4d90-a327-b3d6e32bce42"},
}
LEGACY: dict[str, Any] = {
    "iss": "kubernetes/serviceaccount",
    "kubernetes.io/serviceaccount/namespace": NAMESPACE,
    "kubernetes.io/serviceaccount/secret.name": "backend-token-x7x2f",
    "kubernetes.io/serviceaccount/service-account.name": NAME,
    "kubernetes.io/serviceaccount/service-account.uid": "c26ad760-9067-4d90-a327-b3d6e32bce42",
    **dict.fromkeys(("aud", "exp", "iat", "nbf", "jti", "kubernetes.io"), ...),
}
HOSTILE: dict[str, dict[str, Any]] = {
    # For whom.
    "audience: the API server": {"aud": [CLUSTER]},
    "audience: the API server too": {"aud": [ISSUER, CLUSTER]},
    "audience: another server": {"aud": ["https://evil.example"]},
    "audience: none": {"aud": ...},
    "audience: an empty list": {"aud": []},
    "audience: a number": {"aud": [5]},
    "audience: a prefix": {"aud": [f"{ISSUER}.evil.example"]},
    # Of whom.
    "cluster: another": {"iss": "https://kubernetes.evil.example"},
    "cluster: a slash more": {"iss": f"{CLUSTER}/"},
    "cluster: none": {"iss": ...},
    "cluster: a list": {"iss": [CLUSTER]},
    "legacy: of a Secret": LEGACY,
    "legacy: of a Secret, with the cluster's issuer": {**LEGACY, "iss": CLUSTER},
    "account: another": {
        "sub": f"system:serviceaccount:{NAMESPACE}:other",
        "kubernetes.io": KUBERNETES | {"serviceaccount": {"name": "other", "uid": "x"}},
    },
    "account: another namespace": {
        "sub": f"system:serviceaccount:default:{NAME}",
        "kubernetes.io": KUBERNETES | {"namespace": "default"},
    },
    "account: sub and claims differ": {"sub": "system:serviceaccount:default:admin"},
    "account: claims and sub differ": {"kubernetes.io": KUBERNETES | {"namespace": "default"}},
    "account: no claims": {"kubernetes.io": ...},
    "account: claims are text": {"kubernetes.io": "x"},
    "account: no serviceaccount": {"kubernetes.io": {"namespace": NAMESPACE}},
    "account: no uid": {"kubernetes.io": KUBERNETES | {"serviceaccount": {"name": NAME}}},
    "account: no sub": {"sub": ...},
    "account: a user": {"sub": "kubernetes-admin"},
    "account: a node": {"sub": "system:node:worker-1"},
    "account: in capitals": {"sub": f"system:serviceaccount:{NAMESPACE}:BACKEND"},
    "account: one more part": {"sub": f"system:serviceaccount:{NAMESPACE}:{NAME}:x"},
    "account: a line break": {"sub": f"system:serviceaccount:{NAMESPACE}:{NAME}\n"},
    "account: a look-alike": {"sub": f"system:serviceaccount:{NAMESPACE}:b\u0430ckend"},
    "account: the client itself": {"sub": SYSTEM},
    # When.
    "time: expired": {"iat": -4000, "nbf": -4000, "exp": -400},
    "time: no exp": {"exp": ...},
    "time: no iat": {"iat": ..., "nbf": ...},
    "time: exp is text": {"exp": "never"},
    "time: exp is true": {"exp": True},
    "time: exp beyond numbers": {"exp": 10**400},
    "time: a day": {"exp": 86_400},
    "time: a year, as for the API server": {"exp": 31_536_000},
    "time: a second too long": {"exp": LONGEST_LIFE_S + 1},
    "time: not yet": {"nbf": 600},
    "time: issued tomorrow": {"iat": 86_400, "nbf": 0, "exp": 86_400 + 3600},
    # Signed by whom.
    "key: another, of the same id": {"key": STRANGER},
    "key: unknown id": {"header": {"kid": "unknown"}},
    "key: no id": {"header": {"kid": None}},
    "key: a number as id": {"header": {"kid": 5}},
    "key: a long id": {"header": {"kid": "x" * 300}},
    "key: a path as id": {"header": {"kid": "../../etc/passwd"}},
    "key: of another type": {"key": OTHER},
    "alg: none": {"header": {"alg": "none"}},
    "alg: HS256 with the public key": {"header": {"alg": "HS256"}},
    "alg: PS256": {"header": {"alg": "PS256"}},
    "alg: in small letters": {"header": {"alg": "rs256"}},
    "alg: missing": {"header": {"alg": None}},
    "header: a key of its own": {"header": {"jwk": STRANGER.as_dict(private=False)}, "key": STRANGER},
    "header: an address of keys": {"header": {"jku": "https://evil.example/jwks"}},
    "header: critical": {"header": {"crit": ["x"], "x": 1}},
    "header: another type": {"header": {"typ": "at+jwt"}},
}


async def test_each_hostile_token_is_refused(small: Place) -> None:
    now = int(small.clock.now().timestamp())
    for name, changes in HOSTILE.items():
        shifted = {
            claim: now + value
            if claim in ("iat", "nbf", "exp") and type(value) is int and value < 10**9
            else value
            for claim, value in changes.items()
        }
        answer = await small.ask(small.token(**shifted))
        found = answer.json()
        assert (answer.status_code, found["error"]) == (401, "invalid_client"), name
        assert found["error_description"].isascii(), name
        assert found["error_description_vi"], name
        assert "lgsp-client" not in answer.headers, name
    genuine = small.token()
    head, payload, signature = genuine.split(".")
    for name, text in {
        "cut": genuine[:-10],
        "two parts": f"{head}.{payload}",
        "no signature": f"{head}.{payload}.",
        "padded": f"{genuine}=",
        "long": f"{head}.{payload}.{signature * 40}",
        "another payload": f"{head}.{_part({'iss': CLUSTER})}.{signature}",
    }.items():
        assert (await small.ask(text)).json()["error"] == "invalid_client", name
    for client_id in (None, "", "H11.05/land", "operator", "x" * 300, "\0"):
        assert (await small.ask(genuine, client_id=client_id)).json()["error"] == "invalid_client", client_id
    assert (await small.ask(genuine, client_secret="x")).json()["error"] == "invalid_request"
    assert (await small.ask(genuine)).status_code == 200


async def test_the_seven_seconds_more_of_a_pods_own_token_are_no_reason_to_refuse_it(small: Place) -> None:
    now = int(small.clock.now().timestamp())
    assert (await small.ask(small.token(exp=now + LONGEST_LIFE_S))).status_code == 200
    assert (await small.ask(small.token(aud=ISSUER))).status_code == 200


def _from(now: int, claim: str, value: object) -> object:
    """Times of the table are seconds from now."""
    is_near = claim in ("iat", "nbf", "exp") and type(value) is int and value < 10**9
    return now + value if is_near and isinstance(value, int) else value
