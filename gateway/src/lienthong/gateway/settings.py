"""Settings of the gateway; `docs/reference/gateway.md` describes them for operators."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from lienthong.gateway.limits.day import VIETNAM, zone
from lienthong.kit.addresses import allowed_networks
from lienthong.kit.settings import Settings

_AROUND_A_FIELD = 8
"""A colon, white space and the end of the line."""
_AROUND_A_HEAD = 64
"""Method, version, the ends of lines."""


class GatewaySettings(Settings):
    """What the gateway reads besides the common settings."""

    gateway_workers: int = Field(default=1, ge=1, le=256)
    """Processes that serve calls; one uses about one core."""
    gateway_edge_socket: Path | None = None
    """Where the edge connects, a Unix socket: over it, and nowhere else, X-Forwarded-For and
    X-Forwarded-Client-Cert are believed. Empty: there is no edge."""
    gateway_worker_timeout_s: float = Field(default=10.0, ge=2)
    """How long the event loop of such a process may stand still before it is killed and replaced."""
    gateway_node: str = Field(default_factory=socket.gethostname, min_length=1, max_length=128)
    """This gateway's name in records."""
    gateway_privacy_key_file: Path = Field(
        default_factory=lambda data: Path(data["home"], "gateway", "privacy.key")
    )
    """The key that paths and persons are hashed with in records, in hex; the same on every gateway. Of
    several lines the first is in use; with the others records of before are found."""
    gateway_assertion_key_file: Path = Field(
        default_factory=lambda data: Path(data["home"], "gateway", "assertion.key")
    )
    """The secret from which the keys of `LGSP-Assertion` are derived, in hex; the same on every gateway. Of
    several lines the first signs, and the keys of all are published."""
    gateway_secrets_dir: Path = Field(default_factory=lambda data: Path(data["home"], "gateway", "secrets"))
    """The folder of secrets that providers are shown: files `AGENCY_SYSTEM_NAME.MEMBER`, read again when they
    change."""
    gateway_secrets: dict[str, SecretStr] = Field(default_factory=dict, max_length=1000)
    """Secrets that providers are shown, as JSON: `{"AGENCY/SYSTEM/NAME.MEMBER": "value"}`; they go before
    files."""
    gateway_connect_timeout_s: float = Field(default=2.0, gt=0)
    """How long one address of a provider may take to accept a connection, where its service says nothing else
    (`timeouts.connectMs`)."""
    gateway_platform_timeout_s: float = Field(default=60.0, gt=0)
    """How long a service of the platform may take until it answers, or for the next part of its answer;
    pulling events waits up to 30 seconds."""
    gateway_max_connections: int = Field(default=10_000, ge=1)
    """Connections of callers that each worker holds, as far as the hard limit of open files allows (two for
    each connection). Those beyond wait until others close."""
    gateway_idle_timeout_s: float = Field(default=30.0, gt=0)
    """How long a connection may wait for the head of its next request before it is closed."""
    gateway_caller_timeout_s: float = Field(default=30.0, gt=0)
    """How long a caller may take to send a body of up to 64 KiB or the next part of a larger one, and to read
    an answer of up to 256 KiB or the next part of a larger one."""
    gateway_caller_bytes_per_s: float = Field(default=1024, gt=0)
    """How fast a caller sends a larger body and reads a larger answer, at least: it may be waited for as long
    as so many bytes a second take, and `LIENTHONG_GATEWAY_CALLER_TIMEOUT_S` longer."""
    gateway_endless_record_every_s: float = Field(default=300, gt=0)
    """How often it is recorded that an endless answer goes on, such as a stream of events."""
    gateway_longest_call_s: float = Field(default=3600, gt=0)
    """How long an exchange with a provider may take in all, whoever takes the time and whatever the service
    says; an endless answer ends then, and its caller asks again."""
    gateway_max_request_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    """The largest body to a service that sets no limit of its own."""
    gateway_max_header_bytes: int = Field(default=32 * 1024, gt=0)
    """Path, query, and the names and values of all header fields together."""
    gateway_max_headers: int = Field(default=100, gt=0)
    """Header fields of a request."""
    gateway_whole_answer_bytes: int = Field(default=256 * 1024, ge=0)
    """Responses up to this size leave whole after their record; of larger ones the last part waits for it."""
    gateway_shaped_answer_bytes: int = Field(default=1024 * 1024, ge=1024, le=16 * 1024 * 1024)
    """The largest answer that is read whole before it leaves: of calls whose agreement names the `fields`
    that leave, or whose operation has persons in its answers."""
    gateway_read_request_bytes: int = Field(default=1024 * 1024, ge=1024, le=16 * 1024 * 1024)
    """The largest body of a request that is read whole before it is forwarded: of operations that have
    persons in it."""
    gateway_idempotency_keys: int = Field(default=10_000, ge=1)
    """How many keys (`Idempotency-Key`) one client begins within a day, at most, in each process."""
    gateway_journal_timeout_s: float = Field(default=1.0, gt=0)
    """How long the bus may take to acknowledge records before they go to the spool."""
    gateway_spool_max_bytes: int = Field(default=1024 * 1024 * 1024, gt=0)
    """How much the spool may hold; beyond it calls are refused."""
    gateway_retained_max_bytes: int = Field(default=1024 * 1024 * 1024, gt=0)
    """How much the copies of acknowledged records may take, of all workers together. Beyond it sealed ones
    are deleted, oldest first, and then those that the ledger has not sealed yet; calls go on."""
    gateway_sealed_for_s: float = Field(default=86_400, ge=0)
    """How long copies stay after the ledger has sealed them. As far back as that, the ledger's database and
    the journal may be replaced by older copies, and the records come again."""
    gateway_unauthenticated_per_s: float = Field(default=20.0, ge=0)
    """How many calls without a valid token are recorded one by one, per second and process."""
    gateway_unauthenticated_burst: float = Field(default=200.0, ge=1)
    """How many of them at once; those beyond are counted."""
    gateway_refused_per_s: float = Field(default=1.0, ge=0)
    """How many refusals of one client with a valid token are recorded one by one, per second and process."""
    gateway_refused_burst: float = Field(default=100.0, ge=1)
    """How many of them at once; those beyond are counted."""
    gateway_open_per_s: float = Field(default=20.0, gt=0)
    """How many requests without an access token the platform's own services take from one address (IPv6:
    one /64), per second and process: for tokens, keys, documents. Callers behind one proxy share it."""
    gateway_open_burst: float = Field(default=300.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    gateway_person_hashes_per_s: float = Field(default=1.0, gt=0)
    """How many persons a client with the scope `audit:read`, or whoever may read records, may look for, per
    second and process."""
    gateway_person_hashes_burst: float = Field(default=30.0, ge=1)
    """How many of them at once; those beyond are refused with 429."""
    gateway_sample_every_s: float = Field(default=10.0, gt=0)
    """How often the counts are recorded."""

    gateway_xroad_networks: str = ""
    """Networks (CIDR, separated by commas) in which the operator believes clients of X-Road and GovStack who
    they are, without an access token; such a system's manifest names its own among them."""

    @field_validator("gateway_xroad_networks")
    @classmethod
    def _xroad_networks(cls, text: str) -> str:
        allowed_networks(text)
        return text

    gateway_time_zone: str = VIETNAM
    """The time zone whose midnight begins a day of limits, by its IANA name; the same on every gateway."""

    @field_validator("gateway_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        zone(value)
        return value

    @property
    def max_head_bytes(self) -> int:
        """The bytes of a request's head as it is written, with what stands around its names and values."""
        return self.gateway_max_header_bytes + self.gateway_max_headers * _AROUND_A_FIELD + _AROUND_A_HEAD

    @property
    def spool_dir(self) -> Path:
        """The folder that records are kept in while the bus is away."""
        return self.state_folder("gateway") / "spool"

    @property
    def limits_dir(self) -> Path:
        """The folder of what agreements have used in these days."""
        return self.state_folder("gateway") / "limits"

    @property
    def retained_dir(self) -> Path:
        """The folder of copies of records that the bus has acknowledged."""
        return self.state_folder("gateway") / "retained"
