"""The state of the platform: which processes run, in which version, how they are, and how old what they
follow is. Each process is asked through the gateway, with the person's own token; the console tells
of itself."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from lienthong.console.errors import SessionEndedError
from lienthong.console.web import Visit, Web
from lienthong.kit.health import RunningProcess
from lienthong.kit.openapi import VERSION
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError
from lienthong.kit.text import BilingualText

ROOM: Final = "health"
_FOLLOWED_BY_THE_GATEWAY: Final = "/health.json"
_GATEWAY: Final = BilingualText("Gateway", "Cổng liên thông")
_PROCESSES: Final = (
    ("gateway", "/gateway/v1/status", _GATEWAY),
    ("catalog", "/catalog/v1/status", BilingualText("Catalog", "Danh mục")),
    ("identity", "/identity/v1/status", BilingualText("Identity", "Định danh")),
    ("exchange", "/exchange/v1/status", BilingualText("Exchange", "Trao đổi dữ liệu")),
    ("ledger", "/audit/v1/status", BilingualText("Ledger", "Sổ nhật ký")),
)
_CONSOLE: Final = BilingualText("Console", "Bảng điều khiển")
_WORDS: Final[Mapping[str, BilingualText]] = {
    "running": BilingualText("Takes requests", "Nhận yêu cầu"),
    "database": BilingualText("Database", "Cơ sở dữ liệu"),
    "storage": BilingualText("Database's file", "Tệp cơ sở dữ liệu"),
    "keys": BilingualText("Keys that verify tokens", "Khoá xác minh mã truy cập"),
    "routes": BilingualText("Routes from the catalog", "Định tuyến từ danh mục"),
    "catalog": BilingualText("Copy of the catalog", "Bản sao danh mục"),
    "records": BilingualText("Records on the way to the ledger", "Bản ghi đang chuyển vào sổ"),
    "history": BilingualText("Agrees with the ledger", "Khớp với sổ nhật ký"),
    "journal": BilingualText("Journal of calls", "Nhật ký cuộc gọi"),
    "retained": BilingualText("Records that wait for the ledger", "Bản ghi chờ sổ nhật ký xác nhận"),
    "secrets": BilingualText("Secrets of providers", "Bí mật của bên cung cấp"),
    "signing-key": BilingualText("Signing key", "Khoá ký"),
    "deduplication": BilingualText("Index of known events", "Chỉ mục sự kiện đã nhận"),
    "events": BilingualText("Stream of events", "Luồng sự kiện"),
    "journal-lag-known": BilingualText("Follows the journal", "Theo kịp nhật ký"),
    "age_s": BilingualText("confirmed %s ago", "xác nhận cách đây %s"),
    "checkpoint_age_s": BilingualText("Last block signed", "Khối gần nhất được ký"),
    "entries": BilingualText("Entries in the log", "Bản ghi trong sổ"),
    "quarantine": BilingualText("Records in quarantine", "Bản ghi bị cách ly"),
}
_NOTHING: Final = BilingualText("", "")
_AGO: Final = BilingualText("%s ago", "cách đây %s")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a process says of itself: `state` is `ok`, `degraded`, `failed`, or "" for a figure."""

    title: BilingualText
    state: str = ""
    value: BilingualText = _NOTHING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the page shows it: `state` is `ready`, `degraded`, `not ready` or `away`."""

    title: BilingualText
    state: str
    version: str = ""
    up: BilingualText = _NOTHING
    findings: Sequence[Finding] = ()
    problem: ProblemError | None = field(default=None, compare=False)


def health_routes(web: Web) -> APIRouter:
    """Build the route."""
    router = APIRouter()

    @router.get("/health")
    async def health(request: Request) -> Response:
        visit = await web.known(request, ROOM)
        everything = visit.may(Action.READ_HEALTH)
        found = await state_of_the_platform(visit, everything=everything)
        if everything:
            found.append(_console(getattr(request.app.state, "process", None)))
        worst = max((_ORDER.index(one.state) for one in found), default=0)
        return web.page(
            request, visit, "health.html", room=ROOM, processes=found, worst=_ORDER[worst], all=everything
        )

    return router


_ORDER: Final = ("ready", "degraded", "not ready", "away")


async def state_of_the_platform(visit: Visit, *, everything: bool) -> list[Process]:
    """What the processes say; without `everything` what the gateway tells everyone.

    Raises:
        SessionEndedError: the person's session has ended meanwhile.
    """
    if not everything:
        return [await _gateway(visit)]
    return list(await asyncio.gather(*(_asked(visit, path, title) for _, path, title in _PROCESSES)))


async def _gateway(visit: Visit) -> Process:
    try:
        told = await visit.desk.get(_FOLLOWED_BY_THE_GATEWAY)
    except ProblemError as problem:
        return Process(_GATEWAY, "away", problem=problem)
    follows = told.get("follows")
    findings = [
        _finding(name, str(one.get("state")), one, "")
        for name, one in (follows.items() if isinstance(follows, dict) else ())
        if isinstance(one, dict)
    ]
    return Process(_GATEWAY, _known(told.get("status")), findings=findings)


def _console(running: RunningProcess | None) -> Process:
    """The console itself, which answers; `running` is None where `run_process` did not start it."""
    up = _NOTHING if running is None else duration(time.monotonic() - running.began)
    return Process(_CONSOLE, "ready", VERSION, up)


async def _asked(visit: Visit, path: str, title: BilingualText) -> Process:
    try:
        told = await visit.desk.get(path)
    except SessionEndedError:
        raise
    except ProblemError as problem:
        return Process(title, "away", problem=problem)
    checks = told.get("checks")
    findings = [
        _finding(str(one.get("name")), str(one.get("state")), one.get("figures") or {}, one.get("reason"))
        for one in (checks if isinstance(checks, list) else ())
        if isinstance(one, dict)
    ]
    figures = told.get("figures")
    for name, number in figures.items() if isinstance(figures, dict) else ():
        findings.append(Finding(_word(name), value=_shown(name, number)))
    up = told.get("up_s")
    return Process(
        title,
        _known(told.get("status")),
        str(told.get("version") or ""),
        duration(up) if isinstance(up, int | float) else _NOTHING,
        findings,
    )


def _finding(name: str, state: str, figures: Mapping[str, Any], reason: object) -> Finding:
    age = figures.get("age_s")
    value = _NOTHING
    if isinstance(age, int | float):
        said, lasted = _WORDS["age_s"], duration(age)
        value = BilingualText(said.en % lasted.en, said.vi % lasted.vi)
    return Finding(_word(name), state, value, str(reason or ""))


def _shown(name: str, number: object) -> BilingualText:
    if not isinstance(number, int | float):
        return BilingualText("?", "?")
    if name.endswith("_s"):
        lasted = duration(number)
        return BilingualText(_AGO.en % lasted.en, _AGO.vi % lasted.vi)
    return BilingualText(f"{number:,.0f}", f"{number:,.0f}".replace(",", "."))


def duration(seconds: float) -> BilingualText:
    """How long something has lasted, by its largest unit; days, hours and minutes with the next one."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return BilingualText(f"{whole} s", f"{whole} giây")
    minutes, left = divmod(whole, 60)
    if minutes < 60:
        return BilingualText(f"{minutes} min {left} s", f"{minutes} phút {left} giây")
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return BilingualText(f"{hours} h {minutes} min", f"{hours} giờ {minutes} phút")
    days, hours = divmod(hours, 24)
    return BilingualText(f"{days} d {hours} h", f"{days} ngày {hours} giờ")


def _word(name: str) -> BilingualText:
    return _WORDS.get(name, BilingualText(name, name))


def _known(status: object) -> str:
    return str(status) if status in _ORDER else "not ready"
