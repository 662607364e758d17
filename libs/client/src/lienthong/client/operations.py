"""The operations of the bus as values: what to send, and how to read the answer. No I/O happens here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from lienthong.client.answers import (
    AckResult,
    Answer,
    AppliedResource,
    ApplyResult,
    FieldChange,
    Notice,
    Page,
    PublishedEvent,
    PulledEvent,
    RefusedAck,
)
from lienthong.client.errors import InputError, NotAGatewayError, Text
from lienthong.client.problems import ERROR_HEADER, TRANSACTION_HEADER, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import httpx

T = TypeVar("T")

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "agencies": "Agency",
        "systems": "System",
        "services": "Service",
        "agreements": "Agreement",
        "event-types": "EventType",
    }
)
"""The kinds of resources: as they stand in paths, and as they stand in manifests."""
FILTERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "agencies": (),
        "systems": ("agency",),
        "services": ("agency", "system"),
        "agreements": ("status", "consumer", "service", "event_type"),
        "event-types": ("agency", "system"),
    }
)
"""The query parameters by which the catalog narrows a list, by kind."""
LARGEST_PAGE = 100
_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """A request to the gateway and the reading of its answer.

    `timeout` is added to the client's own (for requests on which the bus waits). `provider_errors` says that
    an error without LGSP-Error is the provider's own answer and is handed back like any other. `public` needs
    no token.
    """

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    params: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    headers: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    content: bytes | None = None
    timeout: float = 0.0
    provider_errors: bool = False
    public: bool = False

    def read(self, response: httpx.Response) -> T:
        """The result of an answer whose body was read; raises `RefusedError` or `NotAGatewayError`."""
        if response.is_error and not (self.provider_errors and ERROR_HEADER not in response.headers):
            raise refusal(response)
        try:
            return self.parse(response)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotAGatewayError(
                Text("Không hiểu câu trả lời", "The answer cannot be understood"),
                Text(
                    f"{self.method} {self.path}: câu trả lời {response.status_code} không đúng đặc tả.",
                    f"{self.method} {self.path}: the answer {response.status_code} is not as specified.",
                ),
                Text(
                    "Kiểm tra địa chỉ cổng và phiên bản: lienthong doctor",
                    "Check the gateway's address and the versions: lienthong doctor",
                ),
            ) from error


def call(
    service_id: str,
    method: str,
    path: str,
    *,
    purpose: str | None = None,
    case: str | None = None,
    user: str | None = None,
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Operation[Answer]:
    """A call of a service through the gateway; purpose, case and user go into the audit record."""
    said = {"LGSP-Purpose": purpose, "LGSP-Case-Id": case, "LGSP-User": user}
    return request(
        method,
        f"/api/{service_id.strip('/')}/{path.removeprefix('/')}",
        params=params,
        content=content,
        headers={**(headers or {}), **{name: value for name, value in said.items() if value is not None}},
    )


def request(
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Operation[Answer]:
    """Any request to the gateway, by its path (which may hold a query).

    Raises `InputError` where the path has `.` or `..` in it: a value that was put into a path unencoded would
    lead the call elsewhere.
    """
    if any(
        re.sub("%2e", ".", part, flags=re.IGNORECASE) in {".", ".."}
        for part in re.split(r"[/\\]", path.partition("?")[0])
    ):
        raise InputError(
            Text("Đường dẫn có thể hiểu theo nhiều cách", "The path is not normal"),
            Text(f"{path} có đoạn «.» hoặc «..».", f"{path} has a segment '.' or '..'."),
            Text(
                "Mã hoá giá trị trước khi ghép vào đường dẫn.",
                "Encode values before putting them into a path.",
            ),
            code="path-not-normal",
        )
    for name, value in (headers or {}).items():
        _require_header(name, value)
    return Operation(
        method.upper(),
        path,
        answer,
        params=params or _EMPTY,
        headers=headers or _EMPTY,
        content=content,
        provider_errors=True,
    )


def body(
    document: object, content: bytes | None, headers: Mapping[str, str] | None
) -> tuple[bytes | None, Mapping[str, str] | None]:
    """The bytes and headers of a request that carries either a JSON document or bytes, or neither."""
    if document is None:
        return content, headers
    if content is not None:
        raise InputError(Text("Chỉ nêu json hoặc content, không cả hai", "Give json or content, not both"))
    return _json(document), {"Content-Type": "application/json", **(headers or {})}


def ack_tokens(pulled: Sequence[PulledEvent | str]) -> list[str]:
    """The acknowledgement tokens of pulled events; a token stands for itself."""
    return [item if isinstance(item, str) else item.ack for item in pulled]


def answer(response: httpx.Response) -> Answer:
    """Any answer, with its transaction id."""
    return Answer(
        status=response.status_code,
        headers=response.headers,
        content=response.content,
        transaction_id=response.headers.get(TRANSACTION_HEADER),
    )


def apply(manifests: Sequence[Mapping[str, Any]], *, dry_run: bool) -> Operation[ApplyResult]:
    """Create or update resources, all or none of them."""
    return Operation(
        "POST",
        "/catalog/v1/apply",
        _apply_result,
        params={"dry_run": "true" if dry_run else "false"},
        headers=_JSON,
        content=_json({"manifests": list(manifests)}),
    )


def manifests(
    kind: str,
    filters: Mapping[str, str] | None = None,
    *,
    cursor: str | None = None,
    limit: int | None = None,
) -> Operation[Page]:
    """A page of the catalog's resources of a kind (`KINDS`) that match every filter (`FILTERS`)."""
    params = _known({**(filters or {}), "cursor": cursor, "limit": limit})
    return Operation("GET", f"/catalog/v1/{kind}", _page, params=params)


def manifest(kind: str, resource_id: str) -> Operation[Mapping[str, Any]]:
    """One resource of the catalog."""
    return Operation("GET", f"/catalog/v1/{kind}/{_segments(resource_id)}", _object)


def request_agreement(agreement_id: str, spec: Mapping[str, Any]) -> Operation[Mapping[str, Any]]:
    """Ask for an agreement; the provider's agency or the operator decides."""
    return Operation(
        "POST",
        "/catalog/v1/agreements",
        _object,
        headers=_JSON,
        content=_json({"id": agreement_id, **spec}),
    )


def decide_agreement(
    agreement_id: str, decision: str, *, legal_ground: str | None, reason: str | None
) -> Operation[Mapping[str, Any]]:
    """Approve, reject or revoke; a rejection names its legal ground, a revocation its reason."""
    return Operation(
        "POST",
        f"/catalog/v1/agreements/{_segments(agreement_id)}/{decision}",
        _object,
        headers=_JSON,
        content=_json(_known({"legal_ground": legal_ground, "reason": reason})),
    )


def set_system_state(system_id: str, decision: str) -> Operation[Mapping[str, Any]]:
    """Suspend or resume a system (the operator's decision)."""
    return Operation("POST", f"/catalog/v1/systems/{_segments(system_id)}/{decision}", _object)


def publish(
    event_type: str,
    data: object,
    *,
    event_id: str,
    source: str,
    time: datetime,
    subject: str | None = None,
) -> Operation[PublishedEvent]:
    """Publish one event (CloudEvents 1.0, structured mode); sent again with its id, it is stored once."""
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "time": time.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        **({} if subject is None else {"subject": subject}),
        "data": data,
    }
    return Operation(
        "POST",
        f"/exchange/v1/events/{_segments(event_type)}",
        lambda response: _published(response)[0],
        headers={"Content-Type": "application/cloudevents+json"},
        content=_json(event),
    )


def subscribe(name: str, event_type: str, *, start: str, ordered: bool) -> Operation[Mapping[str, Any]]:
    """Create a subscription; one of this name with the same properties stays as it is.

    `start` is `new` (events from now on) or `all` (those stored too). With `ordered`, newer events are held
    back until those of the last pull are acknowledged.
    """
    return Operation(
        "PUT",
        f"/exchange/v1/subscriptions/{_segments(name)}",
        _object_or_nothing,
        headers=_JSON,
        content=_json({"event_type": event_type, "start": start, "ordered": ordered}),
    )


def subscriptions() -> Operation[tuple[Mapping[str, Any], ...]]:
    """The caller's subscriptions."""
    return Operation("GET", "/exchange/v1/subscriptions", _items)


def unsubscribe(name: str) -> Operation[None]:
    """Delete a subscription; events that it has not received yet are not kept for it."""
    return Operation("DELETE", f"/exchange/v1/subscriptions/{_segments(name)}", lambda _: None)


def pull(name: str, *, limit: int, wait: float) -> Operation[tuple[PulledEvent, ...]]:
    """Receive up to `limit` events, waiting up to `wait` seconds for the first."""
    return Operation(
        "POST",
        f"/exchange/v1/subscriptions/{_segments(name)}/pull",
        _pulled,
        headers=_JSON,
        content=_json({"max": limit, "wait_seconds": wait}),
        timeout=float(wait),
    )


def ack(name: str, tokens: Sequence[str]) -> Operation[AckResult]:
    """Acknowledge events, so that they are not delivered again."""
    return Operation(
        "POST",
        f"/exchange/v1/subscriptions/{_segments(name)}/ack",
        _ack_result,
        headers=_JSON,
        content=_json({"ack": list(tokens)}),
    )


def receipt(transaction_id: str, kind: str | None = None) -> Operation[str]:
    """The receipt of the record of this kind of a transaction, by default `call` (c2sp.org/tlog-proof@v1)."""
    path = f"/audit/v1/receipts/{_segments(transaction_id)}"
    return Operation("GET", path, lambda response: response.text, params=_known({"kind": kind}))


def entries(
    filters: Mapping[str, Any], *, cursor: str | None = None, limit: int | None = None
) -> Operation[Page]:
    """A page of the ledger's entries that match all filters.

    Filters are `tx`, `client`, `service`, `agency`, `kind`, `status`, `from` and `to` (RFC 3339), as in
    docs/reference/ledger.md.
    """
    params = _known({**filters, "cursor": cursor, "limit": limit})
    return Operation("GET", "/audit/v1/entries", _page, params=params)


def audit_file(path: str, *, public: bool) -> Operation[bytes]:
    """A file of the log as C2SP names it: `checkpoint`, `key`, `tile/…`."""
    return Operation("GET", f"/audit/{path}", lambda response: response.content, public=public)


def metadata() -> Operation[Mapping[str, Any]]:
    """The metadata of the authorization server (RFC 8414)."""
    return Operation("GET", "/.well-known/oauth-authorization-server", _object, public=True)


def gateway_health() -> Operation[Mapping[str, Any]]:
    """How well the gateway follows the catalog and identity, and how old its routes and keys are."""
    return Operation("GET", "/health.json", _object, public=True)


_JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _known(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _segments(identifier: str) -> str:
    return quote(identifier, safe="/")


def _require_header(name: str, value: str) -> None:
    if not (name + value).isascii() or not (name + value).isprintable():
        raise InputError(
            Text(f"Giá trị của {name} không hợp lệ", f"The value of {name} is not valid"),
            Text(
                "Tiêu đề HTTP chỉ nhận ký tự ASCII in được.",
                "An HTTP header takes printable ASCII characters only.",
            ),
            Text(
                "Dùng mã (ví dụ mã mục đích, mã hồ sơ) thay cho chữ có dấu.",
                "Use a code (of the purpose, of the case) in place of words with diacritics.",
            ),
        )


def _object(response: httpx.Response) -> Mapping[str, Any]:
    document = response.json()
    if not isinstance(document, dict):
        raise TypeError("not an object")
    return document


def _object_or_nothing(response: httpx.Response) -> Mapping[str, Any]:
    return _object(response) if response.content else {}


def _items(response: httpx.Response) -> tuple[Mapping[str, Any], ...]:
    document = response.json()
    return tuple(
        document if isinstance(document, list) else document.get("items", document.get("subscriptions"))
    )


def _page(response: httpx.Response) -> Page:
    document = _object(response)
    return Page(items=tuple(document["items"]), next=document.get("next"))


def _apply_result(response: httpx.Response) -> ApplyResult:
    document = _object(response)
    return ApplyResult(
        dry_run=bool(document["dry_run"]),
        version=int(document["version"]),
        results=tuple(
            AppliedResource(
                kind=result["kind"],
                id=result["id"],
                action=result["action"],
                changes=tuple(
                    FieldChange(change["path"], change.get("old"), change.get("new"))
                    for change in result.get("changes", [])
                ),
                warnings=notices(result),
            )
            for result in document["results"]
        ),
    )


def notices(document: Mapping[str, Any]) -> tuple[Notice, ...]:
    """The warnings in the catalog's answer about a resource, none in most."""
    return tuple(
        Notice(warning["pointer"], Text(warning["detail_vi"], warning["detail"]))
        for warning in document.get("warnings", [])
    )


def _published(response: httpx.Response) -> tuple[PublishedEvent, ...]:
    return tuple(
        PublishedEvent(
            id=item["id"], sequence=int(item["sequence"]), duplicate=bool(item.get("duplicate", False))
        )
        for item in _object(response)["accepted"]
    )


def _pulled(response: httpx.Response) -> tuple[PulledEvent, ...]:
    return tuple(
        PulledEvent(
            ack=item["ack"],
            sequence=int(item["sequence"]),
            delivered=int(item["delivered"]),
            event=dict(item["event"]),
        )
        for item in _object(response)["events"]
    )


def _ack_result(response: httpx.Response) -> AckResult:
    document = _object(response)
    return AckResult(
        acknowledged=tuple(document.get("acknowledged", [])),
        refused=tuple(
            RefusedAck(item["token"], item.get("detail", "")) for item in document.get("refused", [])
        ),
    )
