"""Settings of a process, read from `LIENTHONG_…` environment variables."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lienthong.kit import request_sizes
from lienthong.kit.addresses import allowed_networks, origin_of_pages
from lienthong.kit.lost_records import LOST_AFTER
from lienthong.kit.processes import (
    CONSOLE,
    CONSOLE_HEALTH_PORT,
    CONSOLE_PORT,
    HEALTH_PORTS,
    NATS_PORT,
    PEOPLE_PORT,
    PORTS,
    RPC_ABOVE_REST,
)


def _local(port: int, *, scheme: str = "http://", host: str = "127.0.0.1") -> Any:  # noqa: ANN401 - what pydantic's Field itself returns
    """A default that points at `port` of this machine, shifted by the offset."""
    return Field(default_factory=lambda data: f"{scheme}{host}:{port + int(data['port_offset'])}")


class Settings(BaseSettings):
    """What all processes share; each component adds fields named after itself in a subclass.

    A variable that is set but empty counts as not set. Unknown variables are ignored, so that one
    environment can serve several processes.
    """

    model_config = SettingsConfigDict(
        env_prefix="LIENTHONG_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    instance: str = Field(default="VN-BTN", pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")
    """The name of this installation, the first part of X-Road style identifiers."""
    home: Path = Path(".lienthong")
    """Where an embedded run keeps its state."""
    state_dir: Path = Field(default_factory=lambda data: Path(data["home"]))
    """Holds a folder of each process: what it starts from while others are away, and the gateway's spool."""
    stale_after_s: float = Field(default=7 * 86_400, gt=0)
    """For how many seconds a process goes on with what it last heard from the catalog or identity."""
    lost_after_s: float = Field(default=LOST_AFTER.total_seconds(), ge=1.0, le=600.0)
    """A record that the ledger lacks, although it has read the journal so many seconds beyond it, is lost and
    is published again. It is asked three times in that time. More than the clocks of the machines differ by;
    where all runs on one machine, a few seconds do. A change of a system that identity lacks for as long is
    published again, too."""
    port_offset: int = Field(default=0, ge=0, le=50_000)
    """Added to every default port, so that several installations live on one machine."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    public_url: str = _local(PORTS["gateway"])
    """The gateway's address as callers know it; also the issuer of access tokens."""
    edge_url: str | None = None
    """The edge's address as callers know it, where they can show certificates; it may be the public address.
    Empty: clients are not told of certificates."""
    people_url: str = _local(PEOPLE_PORT, host="localhost")
    """The address of the pages on which people sign in, as their browsers know it, without a path. Its host
    is the name that passkeys belong to, so that it must stay; and never the gateway's, where pages of
    providers could act as the person."""
    console_url: str = _local(CONSOLE_PORT, host="localhost")
    """The address of the console, as people's browsers know it, without a path. Its host must not be the
    gateway's."""
    nats_url: str = _local(NATS_PORT, scheme="nats://")
    """One NATS address, or several separated by commas."""
    nats_key_file: Path | None = None
    """The seed (`SU…`) of this process's own NATS user, where the server asks who connects."""
    nats_replicas: int = Field(default=1, ge=1, le=5)
    """How many servers keep each stream; 3 in production."""
    journal_max_bytes: int = Field(default=4 * 1024**3, ge=1024**2)
    """Bytes of audit records that the bus may hold; none is dropped that is not in the log. The limits of all
    streams together have to be less than the server's `max_file_store`. Full, records go to the gateways'
    spools, then calls are refused. The stream gets it when it is created: more is
    `nats stream edit JOURNAL --max-bytes`."""
    events_max_bytes: int = Field(default=2 * 1024**3, ge=1024**2)
    """Bytes of events that the bus may hold. Nearly full, new events are refused with 507."""
    changes_max_bytes: int = Field(default=512 * 1024**2, ge=1024**2)
    """Bytes of the catalog's changes that the bus may hold. Full, they wait in the catalog's database, and
    identity learns of none. More is `nats stream edit CATALOG --max-bytes`."""
    idempotency_max_bytes: int = Field(default=512 * 1024**2, ge=1024**2)
    """Bytes of answers that the bus may keep for those who ask again with the same `Idempotency-Key`. Full,
    calls with new keys are refused with 503."""
    database_checked_every_s: float = Field(default=3600.0, ge=1.0)
    """After how many seconds a service checks its SQLite database as a whole again, and puts a copy beside it
    when it is sound."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages that are logged."""
    log_format: Literal["json", "console"] = "json"
    """One JSON object a line for collectors, or coloured text for a person."""
    otlp_endpoint: str | None = None
    """Where traces and metrics go (OTLP over gRPC); nowhere without it."""
    catalog_rpc: str = _local(PORTS["catalog"] + RPC_ABOVE_REST, scheme="")
    """`host:port` of the catalog's gRPC, which gateways and the exchange follow."""
    identity_rpc: str = _local(PORTS["identity"] + RPC_ABOVE_REST, scheme="")
    """`host:port` of identity's gRPC, which all that check tokens follow."""
    ledger_rpc: str = _local(PORTS["ledger"] + RPC_ABOVE_REST, scheme="")
    """`host:port` of the ledger's gRPC, which others ask what of their records is in the log."""
    rpc_dir: Path = Field(default_factory=lambda data: Path(data["home"], "rpc"))
    """The certificate and the token by which processes know each other over gRPC; made when it is missing."""
    catalog_url: str = _local(PORTS["catalog"])
    """Where the gateway forwards `/catalog`."""
    catalog_max_request_bytes: int = Field(default=request_sizes.CATALOG, ge=1024)
    """The largest body of a request to the catalog, in bytes: it reads no more, and the gateway passes as
    much."""
    identity_url: str = _local(PORTS["identity"])
    """Where the gateway forwards `/oauth2` and `/.well-known`."""
    exchange_url: str = _local(PORTS["exchange"])
    """Where the gateway forwards `/exchange`."""
    ledger_url: str = _local(PORTS["ledger"])
    """Where the gateway forwards `/audit`."""
    provider_networks: str = ""
    """Networks (CIDR, separated by commas) that providers may have although they are refused otherwise."""
    token_audience: str = Field(default_factory=lambda data: f"urn:lgsp:{data['instance']}")
    """The `aud` of access tokens (RFC 9068)."""

    @field_validator("people_url", "console_url")
    @classmethod
    def _people_origin(cls, text: str) -> str:
        return origin_of_pages(text)

    @model_validator(mode="after")
    def _pages_by_themselves(self) -> Self:
        # Not the port alone: cookies do not know ports (RFC 6265 §8.5).
        host = urlsplit(self.people_url).hostname
        if host in {urlsplit(address).hostname for address in self.origins}:
            raise ValueError(
                f"people_url must have another host than public_url and edge_url, and not {host}: "
                "pages of providers there could act as the person who is signed in"
            )
        return self

    @field_validator("provider_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        allowed_networks(text)
        return text

    @property
    def issuer(self) -> str:
        """The `iss` of access tokens: the public address, without a slash at its end."""
        return self.public_url.rstrip("/")

    @property
    def edge(self) -> str | None:
        """The edge's address without a slash at its end, where there is an edge."""
        return self.edge_url.rstrip("/") if self.edge_url is not None else None

    @property
    def origins(self) -> tuple[str, ...]:
        """The addresses under which callers know the gateway: the public one, and the edge's."""
        return tuple(dict.fromkeys(address for address in (self.issuer, self.edge) if address))

    @property
    def streams_max_bytes(self) -> int:
        """What all streams may hold together; the bus needs more room than this."""
        return (
            self.journal_max_bytes
            + self.events_max_bytes
            + self.changes_max_bytes
            + self.idempotency_max_bytes
        )

    def state_folder(self, process: str) -> Path:
        """Where `process` keeps its state, e.g. `state_folder("catalog")`."""
        return self.state_dir / process

    @property
    def lost_after(self) -> timedelta:
        """How far beyond a record the journal is read without it when it counts as lost."""
        return timedelta(seconds=self.lost_after_s)

    @property
    def max_age(self) -> timedelta:
        """How old a copy of another process's state may be to decide by it."""
        return timedelta(seconds=self.stale_after_s)

    def port(self, process: str) -> int:
        """The HTTP port of `process`, e.g. `port("catalog")`."""
        return (CONSOLE_PORT if process == CONSOLE else PORTS[process]) + self.port_offset

    def rpc_port(self, process: str) -> int:
        """The gRPC port of `process`."""
        return self.port(process) + RPC_ABOVE_REST

    @property
    def people_port(self) -> int:
        """The port on which identity serves pages to people's browsers."""
        return PEOPLE_PORT + self.port_offset

    def health_port(self, process: str) -> int:
        """The port of `process` that answers health checks; never public."""
        return (CONSOLE_HEALTH_PORT if process == CONSOLE else HEALTH_PORTS[process]) + self.port_offset
