"""Operations of the exchange: events and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.client.answers import AckResult, PublishedEvent, PulledEvent, RefusedAck
from lienthong.client.operations.operation import (
    JSON,
    Operation,
    json_bytes,
    json_object,
    path_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import httpx


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
        f"/exchange/v1/events/{path_of(event_type)}",
        lambda response: _published(response)[0],
        headers={"Content-Type": "application/cloudevents+json"},
        content=json_bytes(event),
    )


def subscribe(name: str, event_type: str, *, start: str, ordered: bool) -> Operation[Mapping[str, Any]]:
    """Create a subscription; one of this name with the same properties stays as it is.

    `start` is `new` (events from now on) or `all` (those stored too). With `ordered`, newer events are held
    back until those of the last pull are acknowledged.
    """
    return Operation(
        "PUT",
        f"/exchange/v1/subscriptions/{path_of(name)}",
        _object_or_nothing,
        headers=JSON,
        content=json_bytes({"event_type": event_type, "start": start, "ordered": ordered}),
    )


def subscriptions() -> Operation[tuple[Mapping[str, Any], ...]]:
    """The caller's subscriptions."""
    return Operation("GET", "/exchange/v1/subscriptions", _items)


def unsubscribe(name: str) -> Operation[None]:
    """Delete a subscription; events that it has not received yet are not kept for it."""
    return Operation("DELETE", f"/exchange/v1/subscriptions/{path_of(name)}", lambda _: None)


def pull(name: str, *, limit: int, wait: float) -> Operation[tuple[PulledEvent, ...]]:
    """Receive up to `limit` events, waiting up to `wait` seconds for the first."""
    return Operation(
        "POST",
        f"/exchange/v1/subscriptions/{path_of(name)}/pull",
        _pulled,
        headers=JSON,
        content=json_bytes({"max": limit, "wait_seconds": wait}),
        timeout=float(wait),
    )


def ack(name: str, tokens: Sequence[str]) -> Operation[AckResult]:
    """Acknowledge events, so that they are not delivered again."""
    return Operation(
        "POST",
        f"/exchange/v1/subscriptions/{path_of(name)}/ack",
        _ack_result,
        headers=JSON,
        content=json_bytes({"ack": list(tokens)}),
    )


def ack_tokens(pulled: Sequence[PulledEvent | str]) -> list[str]:
    """The acknowledgement tokens of pulled events; a token stands for itself."""
    return [item if isinstance(item, str) else item.ack for item in pulled]


def _object_or_nothing(response: httpx.Response) -> Mapping[str, Any]:
    return json_object(response) if response.content else {}


def _items(response: httpx.Response) -> tuple[Mapping[str, Any], ...]:
    document = response.json()
    return tuple(
        document if isinstance(document, list) else document.get("items", document.get("subscriptions"))
    )


def _published(response: httpx.Response) -> tuple[PublishedEvent, ...]:
    return tuple(
        PublishedEvent(
            id=item["id"], sequence=int(item["sequence"]), duplicate=bool(item.get("duplicate", False))
        )
        for item in json_object(response)["accepted"]
    )


def _pulled(response: httpx.Response) -> tuple[PulledEvent, ...]:
    return tuple(
        PulledEvent(
            ack=item["ack"],
            sequence=int(item["sequence"]),
            delivered=int(item["delivered"]),
            event=dict(item["event"]),
        )
        for item in json_object(response)["events"]
    )


def _ack_result(response: httpx.Response) -> AckResult:
    document = json_object(response)
    return AckResult(
        acknowledged=tuple(document.get("acknowledged", [])),
        refused=tuple(
            RefusedAck(item["token"], item.get("detail", "")) for item in document.get("refused", [])
        ),
    )
