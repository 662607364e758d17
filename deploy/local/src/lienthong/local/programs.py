"""Which programs make up an installation, and in which order they start."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lienthong.kit.processes import CONSOLE, NATS_MONITORING_PORT, NATS_PORT
from lienthong.local.nats import key_file, server_binary, write_config

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.kit.settings import Settings

RPC_SERVERS = frozenset({"catalog", "identity", "ledger"})


@dataclass(frozen=True, slots=True)
class Program:
    """One process under the supervisor.

    Programs of the lowest `wave` start together; the next wave starts when every `ready_url` of the one
    before answers 200. They stop in the reverse order.
    """

    name: str
    command: Sequence[str]
    ready_url: str
    ports: Sequence[int]
    wave: int
    environment: Mapping[str, str] = field(default_factory=dict)


def platform_programs(settings: Settings) -> list[Program]:
    """NATS and the six processes of Liên thông; NATS's configuration is written too."""
    offset = settings.port_offset
    nats_port, monitoring_port = NATS_PORT + offset, NATS_MONITORING_PORT + offset
    nats_config = write_config(
        settings.home.resolve() / "nats",
        port=nats_port,
        monitoring_port=monitoring_port,
        server_name=f"{settings.instance}-local",
        streams_max_bytes=settings.streams_max_bytes,
    )
    nats = Program(
        name="nats",
        command=[server_binary(), "--config", str(nats_config)],
        # Its whole health would wait for streams that it cannot recover, and that others make anew.
        ready_url=f"http://127.0.0.1:{monitoring_port}/healthz?js-enabled-only=true",
        ports=[nats_port, monitoring_port],
        wave=0,
    )
    waves = {"catalog": 1, "identity": 1, "exchange": 1, "ledger": 1, "gateway": 2, CONSOLE: 3}
    return [nats, *(_process(settings, name, wave) for name, wave in waves.items())]


def _process(settings: Settings, name: str, wave: int) -> Program:
    health_port = settings.health_port(name)
    others = [settings.rpc_port(name)] if name in RPC_SERVERS else []
    home = settings.home.resolve()
    # The console knows no bus: it asks the gateway, as everybody does.
    environment = {} if name == CONSOLE else {"LIENTHONG_NATS_KEY_FILE": str(key_file(home / "nats", name))}
    if name == "identity":
        environment["LIENTHONG_IDENTITY_REGISTERS_CONSOLE"] = "true"
        environment["LIENTHONG_IDENTITY_BOOTSTRAP_DIR"] = str(home)
        others.append(settings.people_port)
    return Program(
        name=name,
        command=[sys.executable, "-m", f"lienthong.{name}"],
        ready_url=f"http://127.0.0.1:{health_port}/health/ready",
        ports=[settings.port(name), health_port, *others],
        wave=wave,
        environment=environment,
    )
