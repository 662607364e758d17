"""A catalog's database with as many services and agreements as a bench wants, written directly."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Rows = Iterator[tuple[str, dict[str, object], dict[str, object]]]

AGENCIES = 200
SYSTEMS_OF_AN_AGENCY = 5
OPERATIONS = 8

_NOW = datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None).isoformat(sep=" ")
_KINDS = {"agencies": "Agency", "systems": "System", "services": "Service", "agreements": "Agreement"}
_NAME = {"vi": "Dịch vụ mẫu", "en": "Sample service"}


def agency_id(number: int) -> str:
    """The code of an agency."""
    return f"H11.{number % AGENCIES:03}"


def system_id(number: int) -> str:
    """The id of a system."""
    number %= AGENCIES * SYSTEMS_OF_AN_AGENCY
    return f"{agency_id(number)}/system-{number // AGENCIES}"


def service_id(number: int) -> str:
    """The id of a service; each of another number is another one."""
    systems = AGENCIES * SYSTEMS_OF_AN_AGENCY
    return f"{system_id(number)}/service-{number // systems:03}-v1"


def agreement_id(number: int) -> str:
    """The id of an agreement, as random as one that the catalog makes."""
    scattered = number * 0x9E3779B97F4A7C15 & (1 << 62) - 1
    high, low = scattered >> 48, scattered & (1 << 48) - 1
    return f"019ab000-{number >> 16 & 0xFFFF:04x}-7{number & 0xFFF:03x}-8{high & 0xFFF:03x}-{low:012x}"


def parties(number: int, services: int) -> tuple[str, str]:
    """Consumer and service of an agreement; of fewer than a thousand for each service no two are the same."""
    service = number % services
    return system_id(service + 1 + number // services), service_id(service)


def fill(database: Path, services: int, agreements: int) -> int:
    """Fill a migrated database; returns the catalog's version."""
    with closing(sqlite3.connect(database)) as connection:
        version = 0
        for table, rows in (
            ("agencies", _agencies()),
            ("systems", _systems()),
            ("services", _services(services)),
            ("agreements", _agreements(services, agreements)),
        ):
            version = _insert(connection, table, rows, version)
        connection.execute("UPDATE head SET version = ?", (version,))
        connection.commit()
    return version


def _insert(connection: sqlite3.Connection, table: str, rows: Rows, version: int) -> int:
    kind = {"agencies": "Agency", "systems": "System", "services": "Service", "agreements": "Agreement"}[
        table
    ]
    for identity, spec, columns in rows:
        version += 1
        values = {
            "id": identity,
            "spec": json.dumps(spec, ensure_ascii=False),
            "version": version,
            "created_at": _NOW,
            "updated_at": _NOW,
            **columns,
        }
        names = ", ".join(values)
        places = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - names of our own
            list(values.values()),
        )
        connection.execute(
            "INSERT INTO changes VALUES (?, ?, ?, 'bench', ?, ?)",
            (version, kind, identity, f"transaction-{version}", _NOW),
        )
    return version


def _agencies() -> Rows:
    for number in range(AGENCIES):
        yield agency_id(number), {"name": _NAME, "memberClass": "GOV"}, {"member_class": "GOV"}


def _systems() -> Rows:
    for number in range(AGENCIES * SYSTEMS_OF_AN_AGENCY):
        yield system_id(number), {"name": _NAME}, {"agency_id": agency_id(number), "status": "active"}


def _services(count: int) -> Rows:
    operations = json.dumps(
        [
            {"id": f"getThing{number}", "method": "GET", "path": f"/things-{number}/{{id}}/parts/{{part}}"}
            for number in range(OPERATIONS)
        ]
    )
    for number in range(count):
        spec: dict[str, object] = {
            "name": _NAME,
            "upstreams": ["http://10.0.0.5:8201", "http://10.0.0.6:8201"],
            "timeoutMs": 10_000,
            "maxRequestBytes": 10_000_000,
            "writeAhead": False,
        }
        columns: dict[str, object] = {
            "system_id": system_id(number),
            "openapi": "{}",
            "operations": operations,
        }
        yield service_id(number), spec, columns


def _agreements(services: int, count: int) -> Rows:
    for number in range(count):
        consumer, service = parties(number, services)
        spec: dict[str, object] = {
            "consumer": consumer,
            "service": service,
            "purposes": ["land-registration"],
            "legalGround": "Luật Đất đai 2024, Điều 163; Nghị định 194/2025/NĐ-CP về chia sẻ dữ liệu",
            "validFrom": "2026-01-01T00:00:00Z",
            "validTo": "2027-01-01T00:00:00Z",
        }
        yield (
            agreement_id(number),
            spec,
            {"consumer_id": consumer, "service_id": service, "status": "approved"},
        )
