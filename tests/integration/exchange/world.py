"""The exchange as a real process between real NATS, a real database and its neighbours' contracts."""

from __future__ import annotations

import itertools
import json
import os
import queue
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from lienthong.contracts.catalog.v1 import routes_pb2 as catalog
from lienthong.contracts.identity.v1 import keys_pb2 as identity
from tests.support.fork_server import ForkedProcess, start_module
from tests.support.ports import give_back_offset, take_free_offset, take_free_port
from tests.support.rpc import rpc_trust
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.nats import NatsServer

LAND, ONE_STOP, OUTSIDER = "H11.05/land", "H11.01/one-stop", "H11.02/procedures"
ACK_WAIT = 3.0
SCHEMA = {"type": "object", "required": ["parcel"], "properties": {"parcel": {"type": "string"}}}

_EXCHANGE, _HEALTH = 8103, 8183


class CatalogPeer:
    """Serves `Routes/Watch` from a dictionary."""

    def __init__(self) -> None:
        self.version = 1
        self._resources: dict[tuple[int, str], catalog.Resource] = {}
        self._watchers: list[queue.Queue[catalog.WatchResponse]] = []
        self._lock = threading.Lock()

    def handler(self) -> grpc.GenericRpcHandler:
        """The contract's service."""
        return _watch_handler(
            "lienthong.contracts.catalog.v1.Routes", self._watch, catalog.WatchRequest.FromString
        )

    def put(self, *resources: catalog.Resource) -> None:
        """Upsert resources as one change."""
        with self._lock:
            for resource in resources:
                self._resources[int(resource.key.kind), resource.key.id] = resource
            delta = catalog.Delta(from_version=self.version, to_version=self.version + 1, upserts=resources)
            self.version += 1
            for watcher in self._watchers:
                watcher.put(catalog.WatchResponse(delta=delta))

    def skip(self, *resources: catalog.Resource) -> None:
        """A change whose delta is lost; the next delta will not fit."""
        with self._lock:
            for resource in resources:
                self._resources[int(resource.key.kind), resource.key.id] = resource
            self.version += 1

    def _watch(
        self, _: catalog.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[catalog.WatchResponse]:
        """One snapshot, then deltas, heartbeats in between."""
        updates: queue.Queue[catalog.WatchResponse] = queue.Queue()
        with self._lock:
            snapshot = catalog.Snapshot(version=self.version, resources=self._resources.values())
            self._watchers.append(updates)
        yield catalog.WatchResponse(snapshot=snapshot)
        while context.is_active():
            try:
                yield updates.get(timeout=0.5)
            except queue.Empty:
                with self._lock:
                    version = self.version
                yield catalog.WatchResponse(heartbeat=catalog.Heartbeat(version=version))


class IdentityPeer:
    """Serves `Keys/Watch`, and signs tokens."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._key = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"})

    def handler(self) -> grpc.GenericRpcHandler:
        """The contract's service."""
        return _watch_handler(
            "lienthong.contracts.identity.v1.Keys", self._watch, identity.WatchRequest.FromString
        )

    def _watch(
        self, _: identity.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[identity.WatchResponse]:
        """The whole state, again and again."""
        while context.is_active():
            jwks = {"keys": [self._key.as_dict(private=False)]}
            yield identity.WatchResponse(version=1, issuer=self._issuer, jwks=json.dumps(jwks))
            time.sleep(0.5)

    def token(self, client_id: str, scope: str) -> str:
        """An access token (RFC 9068)."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": "urn:lgsp:VN-BTN",
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "iat": now,
            "exp": now + 300,
            "jti": os.urandom(8).hex(),
        }
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "test"}, claims, self._key)


class World:
    """Everything the exchange meets, and the exchange, which may be killed and started again."""

    def __init__(self, folder: Path, database_url: str, nats: NatsServer) -> None:
        self.nats = nats
        self.catalog = CatalogPeer()
        self.identity = IdentityPeer("http://127.0.0.1:1")
        self._folder = folder
        self._process: ForkedProcess | None = None
        self._numbers = itertools.count(1)
        self._clients: list[httpx.Client] = []
        self._documented: list[tuple[str, re.Pattern[str], dict[str, Any]]] = []
        self._peers = grpc.server(ThreadPoolExecutor(max_workers=16))
        self._peers.add_generic_rpc_handlers((self.catalog.handler(), self.identity.handler()))
        self._peers_port = take_free_port()
        credentials = rpc_trust().server_credentials()
        self._peers.add_secure_port(f"127.0.0.1:{self._peers_port}", credentials)
        self._peers.start()
        self._offset = take_free_offset()
        folder.mkdir(parents=True, exist_ok=True)
        key = folder / "acknowledgements.key"
        key.write_text("k" * 40)
        self.environment = os.environ | {
            "LIENTHONG_HOME": str(folder),
            "LIENTHONG_PORT_OFFSET": str(self._offset),
            "LIENTHONG_PUBLIC_URL": "http://127.0.0.1:1",
            "LIENTHONG_NATS_URL": nats.url,
            "LIENTHONG_RPC_DIR": str(rpc_trust().folder),
            "LIENTHONG_CATALOG_RPC": f"127.0.0.1:{self._peers_port}",
            "LIENTHONG_IDENTITY_RPC": f"127.0.0.1:{self._peers_port}",
            "LIENTHONG_EXCHANGE_DATABASE_URL": database_url,
            "LIENTHONG_EXCHANGE_TOKEN_KEY_FILE": str(key),
            "LIENTHONG_EXCHANGE_ACK_WAIT_SECONDS": str(ACK_WAIT),
        }
        self.catalog.put(system(LAND), system(ONE_STOP), system(OUTSIDER))

    @property
    def url(self) -> str:
        """The exchange's address."""
        return f"http://127.0.0.1:{_EXCHANGE + self._offset}"

    @property
    def copy_of_catalog(self) -> Path:
        """Where the exchange keeps its copy of the catalog."""
        return self._folder / "exchange" / "catalog.copy"

    @property
    def copy_of_keys(self) -> Path:
        """Where the exchange keeps its copy of identity's keys."""
        return self._folder / "exchange" / "keys.copy"

    def start(self, **changes: str) -> None:
        """Start the exchange, with `changes` of its environment, and wait until it says that it is ready."""
        environment = self.environment | changes
        with (self._folder / "exchange.log").open("ab") as log:
            self._process = start_module("lienthong.exchange", environment, log.fileno())
        wait_until(lambda: self.health() == 200, self.log)

    def health(self) -> int:
        """The status of the readiness check; 0 while nobody answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{_HEALTH + self._offset}/health/ready").status_code
        except httpx.TransportError:
            return 0

    def readiness(self) -> dict[str, Any]:
        """The document of the readiness check."""
        url = f"http://127.0.0.1:{_HEALTH + self._offset}/health/ready"
        document: dict[str, Any] = httpx.get(url).json()
        return document

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; gives its exit status."""
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        """End everything."""
        for client in self._clients:
            client.close()
        if self._process is not None:
            self.kill()
        self._peers.stop(0).wait()
        give_back_offset(self._offset)

    def log(self) -> str:
        """What the exchange wrote."""
        return (self._folder / "exchange.log").read_text(encoding="utf-8")

    def client(self, client_id: str, scope: str = "api events") -> httpx.Client:
        """An HTTP client with that system's token; closed with the world."""
        headers = {"Authorization": f"Bearer {self.identity.token(client_id, scope)}"}
        client = httpx.Client(
            base_url=f"{self.url}/exchange/v1",
            headers=headers,
            timeout=60,
            event_hooks={"response": [self._check_documented]},
        )
        self._clients.append(client)
        return client

    def new_event_type(self, schema: object = SCHEMA, *, agreement: bool = True) -> str:
        """An event type of `LAND` that nobody used before, agreed with `ONE_STOP`; known to the exchange."""
        code = f"changed{next(self._numbers)}-{os.urandom(3).hex()}-v1"
        identifier = f"{LAND}/{code}"
        resources = [event_type(identifier, schema)]
        if agreement:
            resources.append(approved(f"agreement-{code}", identifier))
        self.catalog.put(*resources)
        with self.client(LAND) as land:
            wait_until(lambda: land.post(f"/events/{identifier}").status_code == 415, self.log)
        return identifier

    def _check_documented(self, response: httpx.Response) -> None:
        """Refuse an answer that the exchange's OpenAPI document does not describe."""
        if not self._documented:
            document = httpx.get(f"{self.url}/exchange/v1/openapi.json").raise_for_status().json()
            for template, operations in document["paths"].items():
                path = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))
                for method, operation in operations.items():
                    self._documented.append((method.upper(), path, operation["responses"]))
        request = response.request
        described = next(
            responses
            for method, path, responses in self._documented
            if method == request.method and path.fullmatch(request.url.path)
        )
        answer = described[str(response.status_code)]
        media_type = response.headers.get("content-type")
        assert media_type is None or media_type in answer["content"], media_type
        if response.status_code >= 400:
            assert f"`{response.headers['lgsp-error']}`" in answer["description"]

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            raise RuntimeError("the exchange does not run")
        self._process.send_signal(number)
        status = self._process.wait(30)
        self._process = None
        return status


class Party:
    """What tests do all the time, as the provider and as one subscriber of one event type."""

    def __init__(self, world: World, identifier: str | None = None, name: str = "inbox") -> None:
        self.event_type = identifier or world.new_event_type()
        self.source = f"/{self.event_type}"
        self.land = world.client(LAND)
        self.one_stop = world.client(ONE_STOP)
        self.subscription = f"/subscriptions/{name}-{os.urandom(4).hex()}"

    def subscribe(self, **spec: Any) -> None:  # noqa: ANN401
        answer = self.one_stop.put(self.subscription, json={"event_type": self.event_type, **spec})
        assert answer.status_code == 201, answer.text

    def event(self, identifier: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
        return {
            "specversion": "1.0",
            "id": identifier,
            # Ids count within their source, and every test counts from one.
            "source": self.source,
            "type": self.event_type,
            "data": {"parcel": identifier},
            **changes,
        }

    def post(self, *identifiers: str) -> httpx.Response:
        batch = [self.event(identifier) for identifier in identifiers]
        return self.post_batch(batch)

    def post_batch(self, batch: list[dict[str, Any]]) -> httpx.Response:
        return self.land.post(
            f"/events/{self.event_type}",
            content=json.dumps(batch, separators=(",", ":")),
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )

    def publish(self, *identifiers: str) -> list[dict[str, Any]]:
        answer = self.post(*identifiers)
        assert answer.status_code == 202, answer.text
        accepted: list[dict[str, Any]] = answer.json()["accepted"]
        return accepted

    def pull(self, most: int = 100, wait: float = 5) -> list[dict[str, Any]]:
        answer = self.one_stop.post(f"{self.subscription}/pull", json={"max": most, "wait_seconds": wait})
        assert answer.status_code == 200, answer.text
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def ack(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        answer = self.one_stop.post(f"{self.subscription}/ack", json={"ack": [one["ack"] for one in events]})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


def ids(events: list[dict[str, Any]]) -> list[str]:
    """The events' own ids."""
    return [one["event"]["id"] for one in events]


def system(identifier: str, status: catalog.Status.ValueType = catalog.STATUS_ACTIVE) -> catalog.Resource:
    """A system of the catalog."""
    key = catalog.ResourceKey(kind=catalog.RESOURCE_KIND_SYSTEM, id=identifier)
    return catalog.Resource(key=key, system=catalog.System(id=identifier, status=status))


def event_type(identifier: str, schema: object) -> catalog.Resource:
    """An event type of the catalog."""
    key = catalog.ResourceKey(kind=catalog.RESOURCE_KIND_EVENT_TYPE, id=identifier)
    body = catalog.EventType(
        id=identifier,
        system_id=identifier.rpartition("/")[0],
        status=catalog.STATUS_ACTIVE,
        data_schema=json.dumps(schema),
    )
    return catalog.Resource(key=key, event_type=body)


def approved(
    identifier: str,
    event_type_id: str,
    status: catalog.AgreementStatus.ValueType = catalog.AGREEMENT_STATUS_APPROVED,
) -> catalog.Resource:
    """An agreement of `ONE_STOP` on an event type."""
    key = catalog.ResourceKey(kind=catalog.RESOURCE_KIND_AGREEMENT, id=identifier)
    body = catalog.Agreement(id=identifier, consumer_id=ONE_STOP, event_type_id=event_type_id, status=status)
    return catalog.Resource(key=key, agreement=body)


def revoked(event_type_id: str) -> catalog.Resource:
    """The agreement that `World.new_event_type` made, revoked."""
    code = event_type_id.rpartition("/")[2]
    return approved(f"agreement-{code}", event_type_id, catalog.AGREEMENT_STATUS_REVOKED)


def _watch_handler(service: str, watch: Any, deserialize: Any) -> grpc.GenericRpcHandler:  # noqa: ANN401
    method: grpc.RpcMethodHandler[Any, Any] = grpc.unary_stream_rpc_method_handler(
        watch,
        request_deserializer=deserialize,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(service, {"Watch": method})
