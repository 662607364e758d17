"""What `lienthong status` tells of each process: its figures, and whatever is not well, with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from lienthong.client.errors import Text
from lienthong.client.health_ports import ADVICE_OF_SECRETS, SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.client.health_ports import Reading

State = Literal["ok", "warn", "fail"]
Unit = Literal["s", "By", "%", ""]

_UNCONFIRMED_S: Final = 30.0
"""Peers confirm their state every two seconds."""
_WAITING_S: Final = 60.0
_MUCH: Final = 0.8


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure; of several workers the worst."""

    name: str
    title: Text
    value: float
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not well."""

    state: State
    detail: Text
    advice: Text

    def document(self) -> dict[str, str]:
        """The finding as JSON."""
        return {
            "state": self.state,
            "detail": self.detail.en,
            "detail_vi": self.detail.vi,
            "advice": self.advice.en,
            "advice_vi": self.advice.vi,
        }


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process as an operator sees it."""

    reading: Reading
    version: str | None
    started: float | None
    """Unix time."""
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """The worst that was found."""
        states = {finding.state for finding in self.findings}
        return "fail" if "fail" in states else "warn" if states else "ok"

    def document(self) -> dict[str, Any]:
        """The status as JSON; figures in seconds and bytes."""
        return {
            "process": self.reading.process,
            "url": self.reading.url,
            "state": self.state,
            "version": self.version,
            "started": self.started,
            "checks": dict(self.reading.checks),
            "reasons": dict(self.reading.reasons),
            "figures": {fact.name: fact.value for fact in self.facts},
            "findings": [finding.document() for finding in self.findings],
        }


# Name in JSON, metric, labels, title, unit.
_FIGURES: Final[tuple[tuple[str, str, dict[str, str], Text, Unit], ...]] = (
    ("workers", "lienthong_gateway_workers", {}, Text("Số tiến trình phục vụ", "Workers"), ""),
    ("catalog_version", "lienthong_catalog_version", {}, Text("Phiên bản danh mục", "Catalog version"), ""),
    ("routes_version", "lienthong_routes_version", {}, Text("Phiên bản định tuyến", "Routes version"), ""),
    (
        "routes_age_s", "lienthong_replica_age_seconds", {"replica": "routes"},
        Text("Định tuyến được xác nhận", "Routes confirmed"), "s",
    ),
    (
        "catalog_age_s", "lienthong_replica_age_seconds", {"replica": "catalog"},
        Text("Danh mục được xác nhận", "Catalog confirmed"), "s",
    ),
    (
        "keys_age_s", "lienthong_replica_age_seconds", {"replica": "keys"},
        Text("Khoá được xác nhận", "Keys confirmed"), "s",
    ),
    ("journal_waiting", "lienthong_journal_waiting", {}, Text("Bản ghi chờ bền vững", "Records waiting"), ""),
    ("spool_bytes", "lienthong_spool_size_bytes", {}, Text("Vùng đệm", "Spool"), "By"),
    ("spool_age_s", "lienthong_spool_oldest_age_seconds", {}, Text("Vùng đệm chờ", "Spool waits for"), "s"),
    ("retained_bytes", "lienthong_retained_size_bytes", {}, Text("Bản sao giữ lại", "Retained copies"), "By"),
    ("outbox_messages", "lienthong_outbox_messages", {}, Text("Thông điệp chờ gửi", "Outbox"), ""),
    ("outbox_age_s", "lienthong_outbox_oldest_age_seconds", {}, Text("Chờ gửi", "Outbox waits for"), "s"),
    (
        "history_missing", "lienthong_history_missing", {},
        Text("Thay đổi có trong sổ mà thiếu ở đây", "Changes missing here"), "",
    ),
    ("index_age_s", "lienthong_exchange_index_age_seconds", {}, Text("Chỉ mục đủ", "Index complete"), "s"),
    ("ledger_size", "lienthong_ledger_size", {}, Text("Bản ghi trong sổ", "Entries"), ""),
    ("ledger_lag", "lienthong_ledger_lag", {}, Text("Nhật ký chưa vào sổ", "Behind the journal"), ""),
    ("checkpoint_age_s", "lienthong_ledger_checkpoint_age_seconds", {}, Text("Điểm kiểm", "Checkpoint"), "s"),
    ("quarantine", "lienthong_ledger_quarantine", {}, Text("Bản ghi bị cách ly", "Quarantine"), ""),
    ("stream_filled", "lienthong_stream_filled", {}, Text("Luồng NATS đã dùng", "NATS stream used"), "%"),
    ("disk_free_bytes", "lienthong_disk_free_bytes", {}, Text("Đĩa còn trống", "Disk free"), "By"),
    ("memory_bytes", "process_memory_usage_bytes", {}, Text("Bộ nhớ", "Memory"), "By"),
)  # fmt: skip


_LEAST_IS_WORST: Final = frozenset({"catalog_version", "routes_version", "disk_free_bytes"})
"""The figures of which the least counts, of several workers; of the others the largest does."""
METRICS: Final = tuple(metric for _, metric, *_ in _FIGURES)
"""The metrics that figures are read from."""


def status_of(reading: Reading) -> ProcessStatus:
    """What a process said, judged."""
    facts = tuple(
        Fact(name, title, (min if name in _LEAST_IS_WORST else max)(found), unit)
        for name, metric, labels, title, unit in _FIGURES
        if (found := reading.values(metric, **labels))
    )
    figures = {fact.name: fact.value for fact in facts}
    versions = sorted(set(reading.labels("target_info", "service_version")))
    started = reading.values("process_start_time_seconds")
    return ProcessStatus(
        reading,
        ", ".join(versions) or None,
        min(started) if started else None,
        facts,
        tuple(_findings(reading, figures)),
    )


def _findings(reading: Reading, figures: dict[str, float]) -> Iterator[Finding]:
    if reading.failure is not None:
        yield Finding(
            "fail",
            Text(f"không trả lời: {reading.failure}", f"does not answer: {reading.failure}"),
            Text(
                "Tiến trình có chạy không? Địa chỉ khác: --health TÊN=URL.",
                "Does the process run? At another address: --health NAME=URL.",
            ),
        )
        return
    yield from _checks(reading)
    yield from _workers(reading, figures)
    if 0.0 in reading.values("lienthong_bus_connected"):
        yield Finding("fail", Text("mất kết nối NATS", "NATS is away"), _LOOK_AT_NATS)
    yield from _waiting(figures)
    yield from _descriptors(reading)
    yield from _disk(reading)


def _checks(reading: Reading) -> Iterator[Finding]:
    failing = reading.failing()
    for check in sorted({*failing, *reading.reasons}):
        why = f": {reading.reasons[check]}" if check in reading.reasons else ""
        failed = check in failing
        yield Finding(
            "fail" if failed else "warn",
            Text(
                f"mục kiểm tra «{check}» {'không đạt' if failed else 'đạt nhưng cần xem'}{why}",
                f"the check '{check}' {'fails' if failed else 'passes, but needs a look'}{why}",
            ),
            _ADVICE_OF_CHECKS.get(check, _READ_LOG),
        )


def _workers(reading: Reading, figures: dict[str, float]) -> Iterator[Finding]:
    seen, wanted = len(reading.values("lienthong_gateway_workers")), int(figures.get("workers", 0))
    if seen < wanted:
        yield Finding(
            "fail",
            Text(f"{seen}/{wanted} tiến trình phục vụ trả lời", f"{seen} of {wanted} workers answer"),
            _READ_LOG,
        )


def _waiting(figures: dict[str, float]) -> Iterator[Finding]:
    for name, peer in (("routes", "catalog"), ("catalog", "catalog"), ("keys", "identity")):
        if (age := figures.get(f"{name}_age_s", 0.0)) > _UNCONFIRMED_S:
            yield Finding(
                "warn",
                Text(
                    f"{peer} không xác nhận {name} đã {age:.0f} giây",
                    f"{peer} has not confirmed {name} for {age:.0f} s",
                ),
                Text(
                    f"Xem tiến trình {peer} và đường mạng tới cổng gRPC của nó.",
                    f"Look at the process {peer} and at the network to its gRPC port.",
                ),
            )
    if figures.get("spool_bytes", 0.0) > 0:
        yield Finding(
            "warn",
            Text("bản ghi chờ trong vùng đệm trên đĩa", "records wait in the spool on disk"),
            _LOOK_AT_NATS,
        )
    if (age := figures.get("outbox_age_s", 0.0)) > _WAITING_S:
        yield Finding(
            "warn",
            Text(f"thông điệp chờ gửi đã {age:.0f} giây", f"messages have waited for {age:.0f} s"),
            _LOOK_AT_NATS,
        )
    if (filled := figures.get("stream_filled", 0.0)) > _MUCH:
        yield Finding(
            "warn",
            Text(f"luồng NATS đã đầy {filled:.0%}", f"the stream of NATS is {filled:.0%} full"),
            Text(
                "Nâng giới hạn của luồng (LIENTHONG_…_MAX_BYTES) và ổ đĩa của NATS.",
                "Raise the limit of the stream (LIENTHONG_…_MAX_BYTES) and the disk of NATS.",
            ),
        )
    lag, age = figures.get("ledger_lag", 0.0), figures.get("checkpoint_age_s", 0.0)
    if lag > 0 and age > _WAITING_S:
        yield Finding(
            "warn",
            Text(
                f"sổ chậm {lag:.0f} thông điệp, không tăng đã {age:.0f} giây",
                f"the log is {lag:.0f} messages behind and has not grown for {age:.0f} s",
            ),
            _READ_LOG,
        )
    if (number := figures.get("quarantine", 0.0)) > 0:
        yield Finding(
            "warn",
            Text(f"{number:.0f} bản ghi bị cách ly", f"{number:.0f} records are in quarantine"),
            Text(
                "Xem lý do: GET /audit/v1/quarantine với thông tin xác thực auditor.",
                "See why: GET /audit/v1/quarantine with the auditor's credentials.",
            ),
        )


def _descriptors(reading: Reading) -> Iterator[Finding]:
    used = reading.values("process_unix_file_descriptor_count")
    most = reading.values("lienthong_process_file_descriptor_limit")
    for number, limit in zip(used, most, strict=False):
        if number > limit * _MUCH:
            yield Finding(
                "warn",
                Text(
                    f"{number:.0f}/{limit:.0f} mô tả tệp đang mở",
                    f"{number:.0f} of {limit:.0f} descriptors are open",
                ),
                Text("Nâng giới hạn (ulimit -n).", "Raise the limit (ulimit -n)."),
            )


def _disk(reading: Reading) -> Iterator[Finding]:
    # All workers of a process are on one disk.
    for free, size in zip(
        reading.values("lienthong_disk_free_bytes")[:1],
        reading.values("lienthong_disk_size_bytes")[:1],
        strict=False,
    ):
        if free < size * (1 - _MUCH):
            yield Finding(
                "warn",
                Text(
                    f"ổ đĩa chỉ còn trống {free / size:.0%} ({free / 2**30:.1f} GiB)",
                    f"only {free / size:.0%} of its disk is free ({free / 2**30:.1f} GiB)",
                ),
                Text(
                    "Dọn hoặc mở rộng ổ đĩa trước khi đầy; khi đầy, tiến trình chờ hoặc từ chối, và tự chạy "
                    "tiếp khi có chỗ.",
                    "Make room or enlarge the disk before it is full; then the process waits or refuses, and "
                    "goes on by itself when there is room.",
                ),
            )


_READ_LOG: Final = Text("Đọc nhật ký của tiến trình.", "Read the process's log.")
_LOOK_AT_NATS: Final = Text(
    "Xem NATS, ổ đĩa của NATS và đường mạng tới đó. Nếu /healthz của NATS báo «write error» dù đĩa còn chỗ, "
    "hãy khởi động lại NATS.",
    "Look at NATS, at its disk and at the network to it. Where its /healthz says 'write error' although the "
    "disk has room, restart NATS.",
)
_ADVICE_OF_CHECKS: Final = {
    "routes": Text("Xem tiến trình catalog.", "Look at the process catalog."),
    "catalog": Text("Xem tiến trình catalog.", "Look at the process catalog."),
    "keys": Text("Xem tiến trình identity.", "Look at the process identity."),
    "journal": Text("Xem NATS, và đĩa của vùng đệm.", "Look at NATS, and at the spool's disk."),
    "retained": Text(
        "Xem docs/reference/gateway.md, mục «What the gateway keeps».",
        "See docs/reference/gateway.md, 'What the gateway keeps'.",
    ),
    "history": Text(
        "Cơ sở dữ liệu là bản cũ hơn sổ nhật ký. Xem docs/reference/durability.md, mục «An older copy of a"
        " database».",
        "The database is an older copy. See docs/reference/durability.md, 'An older copy of a database'.",
    ),
    "storage": Text(
        "Tệp cơ sở dữ liệu bị hỏng. Trên máy chủ: lienthong doctor nêu lệnh đặt lại bản sao.",
        "The database's file is damaged. On the server: lienthong doctor names the command that puts a copy"
        " back.",
    ),
    SECRETS: ADVICE_OF_SECRETS,
    "database": Text("Xem cơ sở dữ liệu.", "Look at the database."),
}
