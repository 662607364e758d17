"""A gateway in this process, from a caller's bytes to a provider on a socket, its clock and ids known."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from datetime import timedelta
from ipaddress import ip_network
from itertools import count
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.app import Gateway
from lienthong.gateway.assertion_keys import AssertionKeys
from lienthong.gateway.assertions import Assertions
from lienthong.gateway.authenticate import Authenticator
from lienthong.gateway.credentials.access import ProviderAccess
from lienthong.gateway.credentials.secrets import Secrets
from lienthong.gateway.credentials.tls import TlsPools
from lienthong.gateway.figures import CallFigures
from lienthong.gateway.forward import Forwarder
from lienthong.gateway.http1.checks import HealthChecks
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.pool import Pool
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.gateway.idempotency.entry import Seal
from lienthong.gateway.idempotency.stage import IdempotentForwarder
from lienthong.gateway.idempotency.store import Store, idempotency_stream
from lienthong.gateway.journal.beside import Beside
from lienthong.gateway.journal.retained import Retained
from lienthong.gateway.journal.sampling import CallCounts
from lienthong.gateway.journal.spool import Spool
from lienthong.gateway.journal.writer import JournalWriter
from lienthong.gateway.limits.day import VIETNAM, Calendar, zone
from lienthong.gateway.limits.limiter import Limiter
from lienthong.gateway.live import Live
from lienthong.gateway.openapi import PERSON_HASHES_PATH
from lienthong.gateway.person_search import PersonSearch
from lienthong.gateway.platform_routes import (
    DOORS,
    DocumentRoute,
    DoorRoute,
    PersonsRoute,
    PlatformRoute,
)
from lienthong.gateway.privacy import Privacy
from lienthong.gateway.proofs.judge import ProofJudge
from lienthong.gateway.proofs.seen import SeenProofs
from lienthong.gateway.record import Recorder
from lienthong.gateway.settings import GatewaySettings
from lienthong.gateway.shaping.looking import Looking
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.gateway.xroad.answers import Answers
from lienthong.gateway.xroad.callers import CallerProof
from lienthong.gateway.xroad.door import XRoadDoor
from lienthong.gateway.xroad.metadata import Client
from lienthong.kit.bus import PublishAck
from lienthong.kit.catalog import catalog_of
from lienthong.kit.clock import ManualClock
from lienthong.kit.dpop import ProofReader
from lienthong.kit.dpop_nonces import Nonces
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.rates import RateLimit, TokenBucket, TokenBuckets
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.support.authorities import trust_of_this_machine
from tests.support.rpc import rpc_trust
from tests.unit.gateway.kept_messages import MemoryMessages
from tests.unit.gateway.wire import Wire, listener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lienthong.gateway.spans import Spans

ISSUER, AUDIENCE = "https://gateway.example", "urn:lgsp:VN-BTN"
CONSUMER, SUSPENDED, OTHER, PROVIDER = "H11.01/one-stop", "H11.01/old", "H11.36.01/portal", "H11.05/land"
PURPOSE = "land-procedure"
SECRETS = {f"{PROVIDER}/core.client_id": "lgsp", f"{PROVIDER}/core.client_secret": "s3cret"}
WITHIN_LIMIT, STREAMED_FROM = 300, 1000
"""Bytes: the largest request body taken, and the size above which an answer is streamed."""
READ_REQUEST, READ_ANSWER = 1024, 4096
"""Bytes: the largest bodies that are read whole."""
CALLER_TIMEOUT_S = 0.6


def agreement_on(service_id: str, name: str) -> routes_pb2.Resource:
    """An approved agreement of that name, of the consumer, on all of a service."""
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_AGREEMENT, id=name),
        agreement=routes_pb2.Agreement(
            id=name,
            consumer_id=CONSUMER,
            service_id=service_id,
            purposes=[PURPOSE],
            status=routes_pb2.AGREEMENT_STATUS_APPROVED,
        ),
    )


class StoredBatches:
    """A bus that stores everything at once."""

    connected = True

    def __init__(self) -> None:
        self.records: list[str] = []

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109  the port's own
    ) -> PublishAck:
        assert (subject, bool(message_id), bool(headers), timeout) == ("journal.gateway", True, True, 1.0)
        self.records += payload.decode().split("\n")
        return PublishAck("JOURNAL", len(self.records), duplicate=False)


class SmallDirectory:
    """What the catalog would say."""

    async def clients(self) -> Sequence[Client]:
        return [Client("GOV", "H11.05", "Sở"), Client("GOV", "H11.05", "Sở", "land", "Đất đai")]

    async def services(self, system_id: str) -> Sequence[str]:
        return [f"{system_id}/{code}" for code in ("deeds-v1", "gone-v1", "parcels-v1")]

    async def openapi(self, service_id: str) -> bytes | None:
        return (
            b'{"openapi":"3.1.0","servers":[{"url":"http://10.0.0.5"}]}' if "parcels" in service_id else None
        )


class Way:
    """One gateway, its clock, its journal and its provider."""

    def __init__(self, folder: Path, spans: Spans | None, budget: float) -> None:
        self.clock = ManualClock()
        self.clock.advance(0.5)
        self.bus = StoredBatches()
        self.seen: list[str] = []
        self.answers: list[bytes] = []
        """What the provider answers first, whatever is asked."""
        self.reached = asyncio.Event()
        """That the head of a request has come to the provider."""
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self._folder = folder
        self._spans = spans
        self._budget = budget
        self.live = Live()
        self.figures = CallFigures()
        self.limiter = Limiter("seat", Calendar(zone(VIETNAM)), self.clock.now, self.clock.monotonic)

    async def open(self) -> None:
        """Start the provider, then the gateway."""
        self._server = await asyncio.start_server(self._provide, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        jwks = json.dumps({"keys": [self.key.as_dict(private=False)]})
        keys = IdentityKeys(1, ISSUER, jwks, KeySet.from_jwks(jwks), frozenset({SUSPENDED}))
        nonces = Nonces(rpc_trust(), self.clock)
        proofs = ProofJudge(ProofReader([ISSUER], nonces, self.clock), SeenProofs(self.clock.now))
        self.live.authenticator = Authenticator(TokenVerifier(ISSUER, AUDIENCE, self.clock), keys, proofs)
        self.live.table = RoutingTable(catalog_of(7, self._resources()), ReadResources())
        spool = Spool(self._folder / "spool", max_bytes=10_000_000, new_id=_ids("0c"))
        retained = Retained(
            self._folder / "retained", max_bytes=10_000_000, sealed_for=timedelta(days=1), new_id=_ids("0d")
        )
        self.journal = JournalWriter(
            self.bus,
            spool,
            retained,
            Beside(retained, self.clock),
            new_id=_ids("0b"),
            publish_timeout=1.0,
            clock=self.clock,
        )
        new_id = _ids("0a")
        privacy = Privacy(b"k" * 32, [b"f" * 32])
        settings = GatewaySettings(
            home=self._folder,
            gateway_max_request_bytes=WITHIN_LIMIT,
            gateway_max_header_bytes=2000,
            gateway_whole_answer_bytes=STREAMED_FROM,
            gateway_read_request_bytes=READ_REQUEST,
            gateway_shaped_answer_bytes=READ_ANSWER,
            gateway_person_hashes_burst=3,
            gateway_caller_timeout_s=CALLER_TIMEOUT_S,
        )
        self.pool = Pool(connect_timeout=10.0, tls=trust_of_this_machine())
        self.recorder = Recorder(
            self.journal,
            privacy,
            node="gateway-0",
            clock=self.clock,
            new_id=new_id,
            unauthenticated=TokenBucket(per_second=0, burst=self._budget, now=self.clock.monotonic),
            refused=TokenBuckets(RateLimit("refusals", 0, self._budget or 1), now=self.clock.monotonic),
            counts=CallCounts(),
        )
        slow = TimeLimits(first_byte_s=60.0)
        assertions = Assertions(ISSUER, AssertionKeys([b"s" * 32]))
        secrets = Secrets(self._folder / "secrets", SECRETS)
        access = ProviderAccess(
            secrets, self.pool, TlsPools(secrets, lambda _: self.pool), monotonic=self.clock.monotonic
        )
        self.looking = Looking()
        here = Upstreams([f"http://127.0.0.1:{self.port}"])
        forwarder = Forwarder(
            self.pool,
            self.pool,
            assertions,
            access,
            Shown(rpc_trust(), self.clock),
            HealthChecks(self.live.upstreams),
            self.clock,
            settings,
        )
        seal = Seal(b"k" * 32)
        self.kept = MemoryMessages()
        self.gateway = Gateway(
            self.live,
            {
                b"catalog": PlatformRoute("lienthong/catalog", here, slow, WITHIN_LIMIT, authenticates=True),
                b"oauth2": PlatformRoute("lienthong/identity", here, slow, WITHIN_LIMIT, authenticates=False),
                **dict.fromkeys(DOORS, DoorRoute("lienthong/gateway")),
                PERSON_HASHES_PATH[1:].encode(): PersonsRoute("lienthong/gateway"),
                b"openapi.json": DocumentRoute("lienthong/gateway", lambda: b'{"openapi":"3.1.0"}', 300),
            },
            XRoadDoor("VN-BTN", CallerProof((ip_network("10.0.0.0/8"),))),
            Answers("VN-BTN", SmallDirectory()),
            PersonSearch(privacy, settings, self.clock),
            forwarder,
            IdempotentForwarder(
                forwarder,
                Store(self.kept, idempotency_stream(settings), seal, new_id),
                seal,
                settings,
                self.clock,
            ),
            self.recorder,
            settings,
            self.figures,
            self.limiter,
            nonces,
            self.looking,
            clock=self.clock,
            new_id=new_id,
            spans=self._spans,
        )
        self._listener = listener(self.gateway)

    async def close(self) -> None:
        """Stop everything."""
        self.pool.close()
        await self.looking.close()
        await self.journal.close()
        self._server.close()

    def token(self, client: str = CONSUMER, scope: str = "api", **more: object) -> str:
        """An access token, good for five minutes, with more or other claims."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": client,
            "client_id": client,
            "scope": scope,
            "iat": now,
            "exp": now + 300,
            "jti": "1",
            **more,
        }
        return jwt.encode({"typ": "at+jwt", "alg": "ES256", "kid": self.key.kid}, claims, self.key)

    async def call(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        body: tuple[bytes, ...] = (),
        leaves_after: float | None = None,
        pauses: float = 0.0,
        refused_at_last: bool = False,
        reads: float = 0.0,
        ip: str = "10.0.0.7",
    ) -> dict[str, Any]:
        """One call: what the provider got, what the caller got, and the records, as text.

        The caller waits `pauses` seconds before each part of its body but the first, and takes `reads` to
        read each part of the answer's. It `leaves_after` so many seconds: at once, or so long after the
        provider has the request. Of a body that is `refused_at_last` the provider gets all but the last part.
        """
        self.seen.clear()
        self.reached.clear()
        self.bus.records.clear()
        fields = [("host", "gateway.example"), ("accept", "*/*"), *(headers or {}).items()]
        if token is not None:
            fields.append(("authorization", f"Bearer {token}"))
        target = f"{path}?{query}" if query else path
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        chunked = ("transfer-encoding", "chunked") in fields
        wire = self.wire(ip, reads)
        wire.send("\r\n".join([*lines, "", ""]).encode())
        for number, part in enumerate(body):
            if number and refused_at_last:
                await self.reached.wait()
            await wire.settle(pauses if number else 0)
            self.clock.advance(0.001)
            wire.send(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        if leaves_after is None and chunked:
            await wire.settle(None if refused_at_last else pauses)
            self.clock.advance(0.001)
            wire.send(b"0\r\n\r\n")
        if leaves_after is not None:
            if leaves_after:
                await self.reached.wait()
            await asyncio.sleep(leaves_after)
            wire.leave()
        await wire.settle()
        await self.recorder.samples()
        answer = _answer(wire, bodiless=method == "HEAD")
        return {
            "sent": [self._known(request, token) for request in self.seen],
            "answer": answer,
            "records": [_without_texts(record, answer) for record in self.bus.records],
        }

    def wire(self, ip: str = "10.0.0.7", reads: float = 0.0) -> Wire:
        """A new connection to the gateway."""
        return Wire(self._listener, ip, reads)

    def _known(self, text: str, token: str | None) -> str:
        text = text.replace(f"127.0.0.1:{self.port}", "provider:80")
        text = _ASSERTION.sub(_claims, text)
        return text.replace(token, "TOKEN") if token else text

    def change(self, *resources: routes_pb2.Resource) -> None:
        """Have a new version of the catalog, with these too."""
        self.live.table = RoutingTable(catalog_of(8, self._resources(resources)), ReadResources())

    def _resources(self, resources: Sequence[routes_pb2.Resource] = ()) -> list[routes_pb2.Resource]:
        return [
            *(_system(name) for name in (CONSUMER, SUSPENDED, OTHER, PROVIDER)),
            _service("parcels-v1", self.port),
            _service("deeds-v1", self.port, write_ahead=True),
            _service("closed-v1", 1),
            *resources,
            _service("proved-v1", self.port, assertion=True),
            _service("shown-v1", self.port, assertion=True, token_url=f"http://127.0.0.1:{self.port}/issue"),
            *(_agreement(f"one-stop-{name}", f"{PROVIDER}/{name}") for name in ("parcels-v1", "deeds-v1")),
            _agreement("one-stop-proved", f"{PROVIDER}/proved-v1"),
            _agreement("one-stop-shown", f"{PROVIDER}/shown-v1"),
            _agreement("one-stop-closed", f"{PROVIDER}/closed-v1"),
        ]

    async def _provide(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after another, by the last part of its path."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.reached.set()
                body = await _body(reader, head)
                self.seen.append((head + body).decode())
                self.clock.advance(0.005)
                what = head.split(b" ", 2)[1].split(b"?")[0].rpartition(b"/")[2].decode()
                answer = self.answers.pop(0) if self.answers else _ANSWERS.get(what, _ORDINARY)
                writer.write(answer)
                await writer.drain()
                if what in ("late", "waiting", "endless"):
                    await reader.read()
                if what in ("broken", "cut", "endless", "late", "waiting"):
                    break
        writer.close()


_ASSERTION = re.compile(r"(?<=lgsp-assertion: )([\w-]+)\.([\w-]+)\.([\w-]{86})(?=\r\n)")


def _claims(found: re.Match[str]) -> str:
    """What an assertion says, without its signature, which is never the same."""
    header, claims = (base64.urlsafe_b64decode(found[part] + "==").decode() for part in (1, 2))
    return f"{header} {claims} SIGNATURE"


_ORDINARY = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nserver: x\r\ncontent-length: 5\r\n\r\nhello"
_ANSWERS = {
    "made": b"HTTP/1.1 201 Created\r\nlocation: /x\r\nset-cookie: a=b\r\ncontent-length: 2\r\n\r\n{}",
    "moved": b"HTTP/1.1 303 See Other\r\nlocation: /base/p/1?a\r\ncontent-length: 0\r\n\r\n",
    "removed": b"HTTP/1.1 204 No Content\r\n\r\n",
    "failing": b"HTTP/1.1 500 Internal Server Error\r\nlgsp-error: no-token\r\ncontent-length: 4\r\n\r\noops",
    "refused": b"HTTP/1.1 403 Forbidden\r\nlgsp-error: not-allowed\r\ncontent-length: 2\r\n\r\nno",
    "token": b"HTTP/1.1 200 OK\r\nlgsp-client: H11.01/one-stop\r\ncontent-length: 2\r\n\r\n{}",
    "replayed": b"HTTP/1.1 401 Unauthorized\r\nlgsp-client: H11.01/one-stop\r\nlgsp-error: invalid-client\r\n"
    b"content-length: 2\r\n\r\n{}",
    "broken": b"not HTTP at all\r\n\r\n",
    "late": b"",
    "waiting": b"",
    "large": b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n" + b"x" * 40_000,
    "endless": b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 2_000_000,
    "flowing": b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 9_000_000,
    "cut": b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n" + b"x" * 20_000,
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
}


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"content-length":
            return await reader.readexactly(int(value))
        if (name, value) == (b"transfer-encoding", b"chunked"):
            return await reader.readuntil(b"0\r\n\r\n")
    return b""


def _answer(wire: Wire, *, bodiless: bool) -> dict[str, Any] | None:
    """What the caller got. The texts of problems are left out: they are not this file's."""
    answers = wire.answers(bodiless=bodiless)
    if not answers:
        return None
    [found] = answers
    ended = found.whole and not wire.transport.aborted
    headers = [f"{name}: {value}" for name, value in found.fields]
    body = found.body.decode()
    if "content-type: application/problem+json" in headers:
        headers = [header for header in headers if not header.startswith("content-length: ")]
        body = f"problem {json.loads(body)['code']}" if body else ""
    elif not ended or len(body) > STREAMED_FROM:
        body = f"{len(body)} characters" if ended else "broken off"
    return {"status": found.status, "headers": headers, "body": body, "ended": ended}


def _without_texts(record: str, answer: dict[str, Any] | None) -> str:
    if answer is None or not answer["body"].startswith("problem "):
        return record
    return re.sub(
        r'"response_bytes":\d+,"response_sha256":"[0-9a-f]{64}"',
        '"response_bytes":…,"response_sha256":…',
        record,
    )


def _ids(beginning: str) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{beginning}a20761-9f0c-7c4e-bd5e-{next(numbers):012x}"


def _system(name: str) -> routes_pb2.Resource:
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SYSTEM, id=name),
        system=routes_pb2.System(
            id=name,
            status=routes_pb2.STATUS_ACTIVE,
            member_class="GOV",
            xroad=routes_pb2.XRoad(connection=routes_pb2.X_ROAD_CONNECTION_HTTP, networks=["10.0.0.0/24"])
            if name == CONSUMER
            else None,
        ),
    )


def _service(
    name: str, port: int, *, write_ahead: bool = False, assertion: bool = False, token_url: str = ""
) -> routes_pb2.Resource:
    operations = [("get", "GET", "/p/{id}"), ("make", "POST", "/p/{id}"), ("put", "PUT", "/p/{id}")]
    operations += [("head", "HEAD", "/p/{id}"), ("remove", "DELETE", "/p/{id}"), ("secret", "GET", "/secret")]
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SERVICE, id=f"{PROVIDER}/{name}"),
        service=routes_pb2.Service(
            id=f"{PROVIDER}/{name}",
            system_id=PROVIDER,
            upstreams=[f"http://127.0.0.1:{port}/base"],
            operations=[routes_pb2.Operation(id=i, method=m, path=p) for i, m, p in operations],
            timeouts=routes_pb2.Timeouts(first_byte_ms=1000, idle_ms=1000, total_ms=1500),
            status=routes_pb2.STATUS_ACTIVE,
            write_ahead=write_ahead,
            assertion=assertion,
            credentials=[
                routes_pb2.Credential(secret="core", oauth2=routes_pb2.OAuth2Credential(token_url=token_url))
            ]
            if token_url
            else [],
        ),
    )


def _agreement(name: str, service: str) -> routes_pb2.Resource:
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_AGREEMENT, id=name),
        agreement=routes_pb2.Agreement(
            id=name,
            consumer_id=CONSUMER,
            service_id=service,
            operations=["get", "make", "put", "head", "remove"],
            purposes=[PURPOSE],
            status=routes_pb2.AGREEMENT_STATUS_APPROVED,
        ),
    )
