"""The checks of `lienthong doctor`, in the order in which one needs the other."""

from __future__ import annotations

import platform
import stat
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from lienthong.client import folders, operations
from lienthong.client.checkpoints import not_kept
from lienthong.client.credentials import KEY_FILE, Credentials
from lienthong.client.errors import LienthongError, Text
from lienthong.client.health_ports import (
    ADVICE_OF_SECRETS,
    DAMAGED,
    HISTORY,
    MISSING,
    ROLLED_BACK,
    SECRETS,
    STORAGE,
    addresses,
    read_all,
)
from lienthong.client.ledger_keys import ledger_key
from lienthong.client.sync_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import httpx

    from lienthong.client.health_ports import Reading

State = Literal["ok", "warn", "fail", "skip"]

SKEW_WARNING = 5.0
SKEW_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was found, and what to do where it is not well."""

    name: str
    state: State
    title: Text
    detail: Text
    advice: Text | None = None

    def document(self) -> dict[str, Any]:
        """The check as JSON."""
        found = {
            "name": self.name,
            "state": self.state,
            "detail": self.detail.en,
            "detail_vi": self.detail.vi,
        }
        if self.advice is not None and self.state != "ok":
            found |= {"advice": self.advice.en, "advice_vi": self.advice.vi}
        return found


def diagnose(
    as_: str | None, gateway: str | None, key: str | None, *, now: Callable[[], float] = time.time
) -> list[Check]:
    """Every check; what cannot be checked because of an earlier one is skipped."""
    checks = [_versions()]
    credentials, found = _credentials(as_)
    checks += found
    try:
        client = Client(credentials, gateway=gateway or _issuer(credentials), timeout=10.0)
    except LienthongError as error:
        return [*checks, _failed("gateway", _GATEWAY, error)]
    with client:
        response, reached = _gateway(client)
        checks.append(reached)
        if response is not None:
            checks += [_metadata(response, credentials), _clock(response, now()), _followed(client)]
            checks += [_token(client), _checkpoint(client, key)]
    here = [reading for reading in read_all(addresses(())) if reading.failure is None]
    return [*checks, *_databases(here), *secrets_of_providers(here)]


_VERSIONS = Text("Phiên bản", "Versions")
_CREDENTIALS = Text("Thông tin xác thực", "Credentials")
_GATEWAY = Text("Cổng", "Gateway")
_METADATA = Text("Siêu dữ liệu", "Metadata")
_CLOCK = Text("Đồng hồ", "Clock")
_FOLLOWED = Text("Bảng định tuyến và khoá", "Routes and keys")
_TOKEN = Text("Mã truy cập", "Token")
_CHECKPOINT = Text("Sổ nhật ký", "Ledger")
_SECRETS = Text("Bí mật cho bên cung cấp", "Secrets of providers")
_DATABASES = Text("Cơ sở dữ liệu trên máy này", "Databases on this machine")


def _versions() -> Check:
    names = ("lienthong-client", "lienthong-tlog", "httpx", "joserfc")
    said = ", ".join(f"{name} {version(name)}" for name in names) + f", Python {platform.python_version()}"
    return Check("versions", "ok", _VERSIONS, Text(said, said))


def _credentials(as_: str | None) -> tuple[Credentials | None, list[Check]]:
    if as_ is None and not (folders.home() / "operator").is_dir():
        return None, [
            Check(
                "credentials",
                "skip",
                _CREDENTIALS,
                Text("chưa chọn", "none chosen"),
                Text("Thêm --as THƯ_MỤC để kiểm tra cả phần này.", "Add --as FOLDER to check these too."),
            )
        ]
    try:
        folder = folders.choose(as_, "operator")
        credentials = Credentials.load(folder)
    except LienthongError as error:
        return None, [_failed("credentials", _CREDENTIALS, error)]
    said = f"{credentials.client_id}, {credentials.algorithm}, {folder}"
    checks = [Check("credentials", "ok", _CREDENTIALS, Text(said, said))]
    if _others_read(folder / KEY_FILE):
        checks.append(
            Check(
                "key-mode",
                "warn",
                Text("Quyền tệp khoá", "Key file mode"),
                Text(f"người khác đọc được {folder / KEY_FILE}", f"others can read {folder / KEY_FILE}"),
                Text(f"chmod 600 {folder / KEY_FILE}", f"chmod 600 {folder / KEY_FILE}"),
            )
        )
    return credentials, checks


def _others_read(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _issuer(credentials: Credentials | None) -> str:
    return credentials.issuer if credentials is not None else folders.default_gateway()


def _gateway(client: Client) -> tuple[httpx.Response | None, Check]:
    try:
        response = client.send(operations.metadata())
    except LienthongError as error:
        return None, _failed("gateway", _GATEWAY, error)
    took = response.elapsed.total_seconds() * 1000
    said = Text(f"{client.gateway} trả lời sau {took:.0f} ms", f"{client.gateway} answered in {took:.0f} ms")
    return response, Check("gateway", "ok", _GATEWAY, said)


def _metadata(response: httpx.Response, credentials: Credentials | None) -> Check:
    try:
        document = operations.metadata().read(response)
    except LienthongError as error:
        return _failed("metadata", _METADATA, error)
    issuer = document.get("issuer")
    if credentials is not None and issuer != credentials.issuer:
        return Check(
            "metadata",
            "fail",
            _METADATA,
            Text(
                f"nơi cấp là {issuer}, client.json ghi {credentials.issuer}",
                f"the issuer is {issuer}, client.json says {credentials.issuer}",
            ),
            Text(
                "Sửa issuer và token_endpoint trong client.json, hoặc chọn đúng --gateway.",
                "Correct issuer and token_endpoint in client.json, or choose the right --gateway.",
            ),
        )
    return Check("metadata", "ok", _METADATA, Text(f"nơi cấp {issuer}", f"issuer {issuer}"))


def _clock(response: httpx.Response, now: float) -> Check:
    try:
        there = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except ValueError:
        return Check(
            "clock",
            "skip",
            _CLOCK,
            Text("câu trả lời của cổng không có giờ", "the gateway's answer has no date"),
        )
    # The header has whole seconds, so it lies half a second behind on average.
    skew = now - there - 0.5
    state: State = "ok" if abs(skew) <= SKEW_WARNING else "warn" if abs(skew) <= SKEW_LIMIT else "fail"
    return Check(
        "clock",
        state,
        _CLOCK,
        Text(f"lệch khoảng {skew:+.0f} giây", f"differs by about {skew:+.0f} s"),
        Text("Bật đồng bộ giờ (NTP) trên máy này.", "Turn on time synchronisation (NTP) on this machine."),
    )


def _followed(client: Client) -> Check:
    """Whether the gateway decides by what the catalog and identity say now."""
    try:
        document = client.perform(operations.gateway_health())
        parts = {str(name): (part["state"], part["age_s"]) for name, part in document["follows"].items()}
    except LienthongError as error:
        return _failed("routes-and-keys", _FOLLOWED, error)
    except (KeyError, TypeError, AttributeError):
        said = Text("câu trả lời của cổng không đọc được", "the gateway's answer cannot be read")
        return Check("routes-and-keys", "fail", _FOLLOWED, said)
    states = {state for state, _ in parts.values()}
    worst: State = "ok" if states == {"ok"} else "fail" if "failed" in states else "warn"
    return Check(
        "routes-and-keys",
        worst,
        _FOLLOWED,
        Text(
            ", ".join(f"{name}: xác nhận {_ago(age, 'trước', 'chưa')}" for name, (_, age) in parts.items()),
            ", ".join(f"{name}: confirmed {_ago(age, 'ago', 'never')}" for name, (_, age) in parts.items()),
        ),
        Text(
            "Cổng không theo kịp danh mục hoặc định danh: thay đổi mới chưa có hiệu lực. Báo đơn vị vận hành;"
            " trên máy chủ: lienthong status",
            "The gateway does not keep up with the catalog or identity: what changes is not in force yet."
            " Tell the operator; on the server: lienthong status",
        ),
    )


def _ago(age: float | None, ago: str, never: str) -> str:
    return never if age is None else f"{age:.1f} s {ago}"


def _token(client: Client) -> Check:
    if client.credentials is None:
        return Check("token", "skip", _TOKEN, Text("không có thông tin xác thực", "no credentials"))
    try:
        token = client.token()
    except LienthongError as error:
        return _failed("token", _TOKEN, error)
    said = f"{token.scope or '-'}, {token.expires_in:.0f} s"
    return Check("token", "ok", _TOKEN, Text(f"nhận được ({said})", f"obtained ({said})"))


def _checkpoint(client: Client, key: str | None) -> Check:
    warnings: list[Text] = []
    try:
        found = client.checkpoint(ledger_key(key, client, warnings.append))
    except LienthongError as error:
        return _failed("checkpoint", _CHECKPOINT, error)
    checkpoint = found.seen.checkpoint
    before = (
        Text("thấy lần đầu", "seen for the first time")
        if found.earlier is None
        else Text(f"nối tiếp {found.earlier} đã thấy", f"continues the {found.earlier} seen before")
    )
    said = Text(
        f"chữ ký đúng, {checkpoint.size} bản ghi ({checkpoint.origin}), {before.vi}",
        f"signature holds, {checkpoint.size} records ({checkpoint.origin}), {before.en}",
    )
    if found.not_kept is not None:
        warnings.append(not_kept(found))
    if warnings:
        return Check("checkpoint", "warn", _CHECKPOINT, said, warnings[0])
    return Check("checkpoint", "ok", _CHECKPOINT, said)


def secrets_of_providers(here: Iterable[Reading]) -> list[Check]:
    """Whether gateways have the secrets that services name, by what the processes of this machine say."""
    checks = []
    for reading in here:
        if SECRETS not in reading.checks:
            continue
        reason = reading.reasons.get(SECRETS)
        if reason is None:
            said = Text("cổng có đủ bí mật mà các dịch vụ nêu", "the gateway has all that services name")
            checks.append(Check("secrets", "ok", _SECRETS, said))
            continue
        missing = reason.removeprefix(MISSING)
        said = Text(f"cổng còn thiếu: {missing}", f"the gateway lacks: {missing}")
        checks.append(Check("secrets", "warn", _SECRETS, said, ADVICE_OF_SECRETS))
    return checks


def _databases(here: list[Reading]) -> list[Check]:
    """Whether the services that run on this machine have sound databases, with all that the ledger says they
    did; none, if none run."""
    keep = [reading for reading in here if HISTORY in reading.checks]
    older = [reading for reading in keep if reading.reasons.get(HISTORY, "").startswith(ROLLED_BACK)]
    damaged = [reading for reading in here if reading.reasons.get(STORAGE, "").startswith(DAMAGED)]
    checks = [*(_damaged(reading) for reading in damaged), *(_older(reading) for reading in older)]
    if keep and not checks:
        names = ", ".join(reading.process for reading in keep)
        said = Text(f"không cũ hơn sổ nhật ký ({names})", f"not older than the ledger ({names})")
        checks.append(Check("databases", "ok", _DATABASES, said))
    return checks


def _damaged(reading: Reading) -> Check:
    command = f"python -m lienthong.{reading.process} put-copy-back"
    return Check(
        "databases",
        "fail",
        _DATABASES,
        Text(
            f"{reading.process}: tệp cơ sở dữ liệu bị hỏng ({reading.reasons[STORAGE]})",
            f"{reading.process}: {reading.reasons[STORAGE]}",
        ),
        Text(
            f"Đặt lại bản sao lành: {command}. Sau đó chạy lại lienthong doctor: nó cho biết còn thiếu gì."
            " Xem docs/reference/durability.md, mục «A damaged database».",
            f"Put the sound copy back: {command}. Then run lienthong doctor again: it says what is missing."
            " See docs/reference/durability.md, 'A damaged database'.",
        ),
    )


def _older(reading: Reading) -> Check:
    missing = max(reading.values("lienthong_history_missing"), default=0)
    command = f"python -m lienthong.{reading.process} accept-rolled-back --reason WHY"
    return Check(
        "databases",
        "fail",
        _DATABASES,
        Text(
            f"{reading.process}: bản cũ hơn sổ nhật ký, thiếu {missing:.0f} thay đổi đã xác nhận",
            f"{reading.process}: {reading.reasons[HISTORY]}",
        ),
        Text(
            f"Phục hồi bản mới hơn, hoặc làm lại các thay đổi (thu hồi trước) rồi chấp nhận: {command}. Xem "
            "docs/reference/durability.md, mục «An older copy of a database».",
            f"Restore a newer copy, or make the changes again (revocations first) and then accept: {command}."
            " See docs/reference/durability.md, 'An older copy of a database'.",
        ),
    )


def _failed(name: str, title: Text, error: LienthongError) -> Check:
    detail = error.title
    if error.detail is not None:
        detail = Text(f"{detail.vi}: {error.detail.vi}", f"{detail.en}: {error.detail.en}")
    return Check(name, "fail", title, detail, error.advice)
