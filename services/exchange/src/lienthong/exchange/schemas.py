"""The shapes of the exchange's REST requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_ATTRIBUTE: Final = {"type": "string", "minLength": 1, "maxLength": 1024}

CLOUD_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An event in the JSON format of CloudEvents 1.0.2.",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {**_ATTRIBUTE, "description": "Identifies the event, together with `source`."},
        "source": {**_ATTRIBUTE, "description": "`/{agency}/{system}`, or a path below it."},
        "type": {**_ATTRIBUTE, "description": "The id of the event type."},
        "subject": _ATTRIBUTE,
        "time": {**_ATTRIBUTE, "format": "date-time"},
        "datacontenttype": {
            **_ATTRIBUTE,
            "description": "A JSON type; `application/json` when it is left out.",
        },
        "dataschema": {**_ATTRIBUTE, "format": "uri"},
        "data": {"description": "The payload, as the schema of the event type describes it."},
    },
    "required": ["specversion", "id", "source", "type", "data"],
    "additionalProperties": {
        "type": ["string", "integer", "boolean"],
        "description": "An extension attribute.",
    },
}
"""The JSON schema of an event."""

SubscriptionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
EventTypeId = Annotated[
    str,
    StringConstraints(
        max_length=192, pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]*/[a-z][a-z0-9\-]*/[a-z][a-z0-9\-]*-v[1-9][0-9]*$"
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SubscriptionSpec(_Strict):
    """A subscription as its owner wants it."""

    event_type: EventTypeId
    ordered: bool = True
    start: Literal["new", "all"] = "new"


class PullRequest(_Strict):
    """How many events to receive at most, and how many seconds to wait for the first."""

    max: int = Field(default=10, ge=1, le=100)
    wait_seconds: float = Field(default=0, ge=0, le=30)


class AckRequest(_Strict):
    """The tokens of the events to acknowledge."""

    max_body: ClassVar[int] = 256 * 1024
    """Bytes; a thousand tokens have about 200 KiB."""

    ack: list[Annotated[str, StringConstraints(max_length=1000)]] = Field(min_length=1, max_length=1000)


class AcceptedEventView(BaseModel):
    """One event that is in the stream, under `sequence`; `duplicate` when it had been accepted before."""

    id: str
    sequence: int
    duplicate: bool


class PublishResult(BaseModel):
    """All events of a request, in its order."""

    accepted: list[AcceptedEventView]


class SubscriptionView(BaseModel):
    """A subscription as it is."""

    name: str
    event_type: str
    ordered: bool
    created_at: datetime


class SubscriptionList(BaseModel):
    """All subscriptions of the caller."""

    items: list[SubscriptionView]


class DeliveredEventDocument(msgspec.Struct, frozen=True):
    """A delivered event with the token that acknowledges it; its `data` is as the publisher wrote it."""

    ack: str
    sequence: int
    delivered: int
    event: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=CLOUD_EVENT)]


class PullDocument(msgspec.Struct, frozen=True):
    """The delivered events, in the order in which they were accepted; empty when none came in time."""

    events: list[DeliveredEventDocument]


class RefusedToken(BaseModel):
    """A token that acknowledged nothing, and why."""

    token: str
    detail: str


class AcknowledgementDocument(BaseModel):
    """What became of each token."""

    acknowledged: list[str]
    refused: list[RefusedToken]
