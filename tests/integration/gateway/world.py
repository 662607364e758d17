"""A real gateway process between a real NATS and the smallest possible peers."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import jsonschema
import nats
from google.protobuf.timestamp_pb2 import Timestamp
from nats.js.errors import NotFoundError

from lienthong.contracts.catalog.v1 import directory_pb2_grpc, routes_pb2, routes_pb2_grpc
from lienthong.contracts.identity.v1 import keys_pb2_grpc
from lienthong.kit.journal import journal_stream
from lienthong.kit.settings import Settings
from tests.integration.gateway.loop import LoopThread
from tests.integration.gateway.peers import Provider, RpcPeer, StubCatalog, StubDirectory, StubIdentity
from tests.support.fork_server import ForkedProcess, start_module
from tests.support.nats import NatsServer
from tests.support.ports import give_back_offset, take_free_offset, take_free_port
from tests.support.rpc import rpc_trust
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    import grpc.aio

T = TypeVar("T")

CONSUMER = "H11.01/one-stop"
OTHER_CONSUMER = "H11.36.01/portal"
PROVIDER = "H11.05/land"
SERVICE = f"{PROVIDER}/parcels-v1"
AGREEMENT = "one-stop-parcels"
PURPOSE = "land-procedure"
API = f"/api/{SERVICE}"

OPERATIONS = (
    ("getParcel", "GET", "/parcels/{parcelId}"),
    ("headParcel", "HEAD", "/parcels/{parcelId}"),
    ("listParcels", "GET", "/parcels"),
    ("registerParcel", "POST", "/parcels"),
    ("removeParcel", "DELETE", "/parcels/{parcelId}"),
    ("secretParcel", "GET", "/secrets"),
)


def system(
    system_id: str, *, suspended: bool = False, xroad: routes_pb2.XRoad | None = None
) -> routes_pb2.Resource:
    """A system as the catalog hands it out."""
    status = routes_pb2.STATUS_SUSPENDED if suspended else routes_pb2.STATUS_ACTIVE
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SYSTEM, id=system_id),
        system=routes_pb2.System(id=system_id, status=status, member_class="GOV", xroad=xroad),
    )


def service(
    upstreams: Iterable[str],
    *,
    service_id: str = SERVICE,
    timeout_ms: int = 10_000,
    timeouts: routes_pb2.Timeouts | None = None,
    max_request_bytes: int = 0,
    suspended: bool = False,
    write_ahead: bool = False,
    assertion: bool = False,
    origins: Iterable[str] = (),
    requires: Iterable[routes_pb2.Statement.ValueType] = (),
    default_limits: routes_pb2.Limits | None = None,
    maximum_limits: routes_pb2.Limits | None = None,
    weights: Iterable[int] = (),
    breaker: routes_pb2.Breaker | None = None,
    bulkhead: routes_pb2.Bulkhead | None = None,
    health_check: routes_pb2.HealthCheck | None = None,
    idempotency: routes_pb2.Idempotency | None = None,
    operations: Iterable[tuple[str, str, str]] = OPERATIONS,
) -> routes_pb2.Resource:
    """A service as the catalog hands it out; each of its operations is an id, a method and a path."""
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SERVICE, id=service_id),
        service=routes_pb2.Service(
            id=service_id,
            system_id=service_id.rpartition("/")[0],
            upstreams=upstreams,
            operations=[routes_pb2.Operation(id=i, method=m, path=p) for i, m, p in operations],
            timeout_ms=timeout_ms,
            timeouts=timeouts,
            status=routes_pb2.STATUS_SUSPENDED if suspended else routes_pb2.STATUS_ACTIVE,
            max_request_bytes=max_request_bytes,
            write_ahead=write_ahead,
            assertion=assertion,
            cors=routes_pb2.Cors(origins=origins, max_age_s=600) if origins else None,
            requires=requires,
            default_limits=default_limits,
            maximum_limits=maximum_limits,
            weights=weights,
            breaker=breaker,
            bulkhead=bulkhead,
            health_check=health_check,
            idempotency=idempotency,
        ),
    )


def agreement(
    agreement_id: str = AGREEMENT,
    *,
    consumer: str = CONSUMER,
    purposes: Iterable[str] = (PURPOSE,),
    operations: Iterable[str] = ("getParcel", "headParcel", "listParcels", "registerParcel"),
    status: routes_pb2.AgreementStatus.ValueType = routes_pb2.AGREEMENT_STATUS_APPROVED,
    service_id: str = SERVICE,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    requires: Iterable[routes_pb2.Statement.ValueType] = (),
    limits: routes_pb2.Limits | None = None,
    hours: routes_pb2.Hours | None = None,
    fields: Mapping[str, Iterable[str]] | None = None,
) -> routes_pb2.Resource:
    """An agreement as the catalog hands it out."""
    return routes_pb2.Resource(
        key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_AGREEMENT, id=agreement_id),
        agreement=routes_pb2.Agreement(
            id=agreement_id,
            consumer_id=consumer,
            service_id=service_id,
            operations=operations,
            purposes=purposes,
            status=status,
            valid_from=_timestamp(valid_from),
            valid_to=_timestamp(valid_to),
            requires=requires,
            limits=limits,
            hours=hours,
            fields=[
                routes_pb2.OperationFields(operation=operation, paths=paths)
                for operation, paths in (fields or {}).items()
            ],
        ),
    )


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


class World:
    """Everything around one gateway, and the gateway: `python -m` of the `module`."""

    def __init__(self, folder: Path, **environment: object) -> None:
        self.folder = folder
        self.module = "lienthong.gateway"
        self._journal = JournalReader()
        self.nats = NatsServer(folder / "nats", take_free_port()).start().create(journal_stream(Settings()))
        self.loop = LoopThread()
        self._offset = take_free_offset()
        self.port = 8080 + self._offset
        self.health_port = self.port + 100
        self._ports = {name: take_free_port() for name in ("catalog", "identity")}
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._process: ForkedProcess | None = None
        self.provider, self.second_provider, self.platform = (Provider(take_free_port()) for _ in range(3))
        self.catalog = self.loop.run(_call(StubCatalog))
        self.directory = StubDirectory(self.catalog)
        self.identity = self.loop.run(_call(lambda: StubIdentity(self.url, "urn:lgsp:VN-BTN")))
        self.catalog_peer = RpcPeer(
            self._ports["catalog"],
            self._register_catalog,
        )
        self.identity_peer = RpcPeer(
            self._ports["identity"],
            lambda server: keys_pb2_grpc.add_KeysServicer_to_server(self.identity, server),
        )
        self._peers = (
            self.catalog_peer,
            self.identity_peer,
            self.provider,
            self.second_provider,
            self.platform,
        )
        for peer in self._peers:
            self.loop.run(peer.start())
        self.change(
            system(CONSUMER),
            system(OTHER_CONSUMER),
            system(PROVIDER),
            service([self.provider.url], max_request_bytes=20_000_000),
            agreement(),
        )

    def _register_catalog(self, server: grpc.aio.Server) -> None:
        routes_pb2_grpc.add_RoutesServicer_to_server(self.catalog, server)
        directory_pb2_grpc.add_DirectoryServicer_to_server(self.directory, server)

    # the gateway

    def start(self, *, wait: bool = True) -> None:
        """Start the gateway; returns when it is ready."""
        self._process = self._started(self.folder / "home", self._offset, self.log)
        if wait:
            self.wait(self.ready, "the gateway is ready")

    @contextmanager
    def another(self, name: str) -> Iterator[str]:
        """One more gateway of the same installation, with a disk of its own, until the block ends; its
        address."""
        offset = take_free_offset()
        process = self._started(self.folder / name, offset, self.folder / f"{name}.log")
        try:
            self.wait(lambda: self.ready(8180 + offset), f"{name} is ready")
            yield f"http://127.0.0.1:{8080 + offset}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            give_back_offset(offset)

    def _started(self, home: Path, offset: int, log: Path) -> ForkedProcess:
        environment = {
            **os.environ,
            "LIENTHONG_HOME": str(home),
            "LIENTHONG_PORT_OFFSET": str(offset),
            "LIENTHONG_NATS_URL": self.nats.url,
            "LIENTHONG_PUBLIC_URL": self.url,
            "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8",
            "LIENTHONG_RPC_DIR": str(rpc_trust().folder),
            "LIENTHONG_CATALOG_RPC": self.catalog_peer.address,
            "LIENTHONG_IDENTITY_RPC": self.identity_peer.address,
            **{f"LIENTHONG_{name.upper()}_URL": self.platform.url for name in ("identity", "catalog")},
            **{f"LIENTHONG_{name.upper()}_URL": self.platform.url for name in ("exchange", "ledger")},
            **{_variable(name): str(value) for name, value in self._environment.items()},
        }
        with log.open("ab") as file:
            return start_module(self.module, environment, file.fileno())

    @property
    def log(self) -> Path:
        """What the gateway writes."""
        return self.folder / "gateway.log"

    def ready(self, port: int | None = None) -> bool:
        """Whether the gateway says that it is ready; `port` is the health port of another one."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{port or self.health_port}/health/ready", trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    def live(self) -> bool:
        """Whether the gateway answers health checks at all."""
        try:
            httpx.get(f"http://127.0.0.1:{self.health_port}/health/live", trust_env=False)
        except httpx.HTTPError:
            return False
        return True

    def stop_gateway(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the gateway and wait for its end; its exit status."""
        if self._process is None:
            raise RuntimeError("the gateway does not run")
        self._process.send_signal(number)
        status = self._process.wait(60)
        self._process = None
        return status

    @property
    def pid(self) -> int:
        """The gateway's main process."""
        if self._process is None:
            raise RuntimeError("the gateway does not run")
        return self._process.pid

    def close(self) -> None:
        """End everything."""
        if self._process is not None:
            self.stop_gateway()
        for peer in self._peers:
            self.loop.run(peer.stop())
        self.loop.stop()
        self.nats.kill()
        give_back_offset(self._offset)

    def kill_gateway(self) -> None:
        """kill -9 of the gateway's processes, all at once."""
        workers = self.workers
        for process in (self.pid, *workers):
            os.kill(process, signal.SIGSTOP)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        self.stop_gateway(signal.SIGKILL)

    @property
    def workers(self) -> list[int]:
        """The gateway's worker processes."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(child) for child in children.split()]

    # acting

    def change(self, *resources: routes_pb2.Resource) -> None:
        """Change the catalog, and wait until a running gateway knows."""
        self.loop.run(_call(lambda: self.catalog.set(*resources)))
        self.wait_for_table()

    def remove_agreement(self, agreement_id: str = AGREEMENT) -> None:
        """Remove an agreement from the catalog, and wait until a running gateway knows."""
        kind = routes_pb2.RESOURCE_KIND_AGREEMENT
        self.loop.run(_call(lambda: self.catalog.remove(kind, agreement_id)))
        self.wait_for_table()

    def wait_for_table(self) -> None:
        """Wait until the gateway has the catalog's present version."""
        if self._process is not None and self.catalog_peer.running:
            line = f'"version": {self.catalog.version}, "event": "routing table"'
            self.wait(lambda: line in self.log.read_text(), "the routing table")

    def token(self, client: str = CONSUMER, **overrides: object) -> str:
        """A token of identity's."""
        return self.identity.token(client, None, **overrides)

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client for the gateway with a token of the consumer's, another one, or none ("")."""
        found = self.token() if token is None else token
        headers = {"Authorization": f"Bearer {found}"} if found else {}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    # looking

    def records(self) -> list[dict[str, Any]]:
        """Every record in the journal, in order; a batch that was stored twice counts once."""
        return self.loop.run(self._journal.read(self.nats.url))

    def record(self, tx: str, kind: str = "call") -> dict[str, Any]:
        """The one record of a call."""
        found = [record for record in self.records() if record["tx"] == tx and record["kind"] == kind]
        assert len(found) == 1, f"{len(found)} records of {tx}"
        return found[0]

    def wait(self, condition: Callable[[], object], what: str, timeout: float = 60) -> None:
        """Wait until `condition` holds."""
        wait_until(condition, lambda: f"{what}\n{self.log.read_text()[-4000:]}", within=timeout, every=0.02)


def assert_in_form(records: list[dict[str, Any]]) -> None:
    """Every record satisfies the documented schema."""
    schema = Path(__file__).parents[3] / "docs" / "reference" / "journal-record.schema.json"
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
    assert records
    for record in records:
        assert [error.message for error in validator.iter_errors(record)] == [], record


class JournalReader:
    """Reads the stream JOURNAL; what it has read of it before it does not ask for again."""

    def __init__(self) -> None:
        self._of: object = None
        self._read: dict[int, bytes] = {}

    async def read(self, url: str) -> list[dict[str, Any]]:
        """The records that are in the stream, in order, once each."""
        connection = await nats.connect(url)
        try:
            stream = connection.jetstream()
            try:
                info = await stream.stream_info("JOURNAL")
            except NotFoundError:
                return []
            if self._of != info.created:
                self._of, self._read = info.created, {}
            sequences = range(max(1, info.state.first_seq), info.state.last_seq + 1)
            for sequence in sequences:
                if sequence not in self._read:
                    self._read[sequence] = (await stream.get_msg("JOURNAL", sequence)).data or b""
        finally:
            await connection.close()
        records: dict[str, dict[str, Any]] = {}
        for sequence in sequences:
            for line in self._read[sequence].split(b"\n"):
                record = json.loads(line)
                records.setdefault(record["id"], record)
        return list(records.values())


async def read_journal(url: str) -> list[dict[str, Any]]:
    """The records of the stream JOURNAL, in order, once each."""
    return await JournalReader().read(url)


async def _call(make: Callable[[], T]) -> T:
    return make()


def _variable(name: str) -> str:
    """The environment variable of a setting: one that all processes share, or the gateway's own."""
    return f"LIENTHONG_{'' if name in Settings.model_fields else 'GATEWAY_'}{name.upper()}"
