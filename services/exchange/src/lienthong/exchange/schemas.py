"""The shapes of the exchange's REST requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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


class RefusedToken(BaseModel):
    """A token that acknowledged nothing, and why."""

    token: str
    detail: str


class AckResult(BaseModel):
    """What became of each token."""

    acknowledged: list[str]
    refused: list[RefusedToken]
