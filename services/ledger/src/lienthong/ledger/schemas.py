"""The parameters of requests to the ledger and the documents that it answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lienthong.kit.clock import parse_rfc3339

DEFAULT_PAGE = 50
LARGEST_PAGE = 500


Moment = Annotated[datetime, BeforeValidator(parse_rfc3339)]
"""An RFC 3339 time; `parse_rfc3339` says what becomes of leap seconds and long fractions."""


class SearchParameters(BaseModel):
    """The filters of a search; an unknown one is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tx: str | None = Field(None, min_length=1, max_length=128)
    client: str | None = Field(None, min_length=1, max_length=255)
    service: str | None = Field(None, min_length=1, max_length=255)
    agency: str | None = Field(None, min_length=1, max_length=255)
    kind: str | None = Field(None, min_length=1, max_length=64)
    status: int | None = Field(None, ge=100, le=599)
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")
    order: Literal["asc", "desc"] = "desc"
    cursor: int | None = Field(None, ge=0, le=2**62)
    limit: int = Field(DEFAULT_PAGE, ge=1, le=LARGEST_PAGE)


class EntryDocument(msgspec.Struct, frozen=True):
    """An entry as it is shown; the record is the leaf's own JSON, byte for byte."""

    index: int
    record: msgspec.Raw


class PageDocument(msgspec.Struct, frozen=True):
    """A page of entries; `next` is the cursor of the next one, null on the last."""

    items: list[EntryDocument]
    next: str | None


class QuarantinedDocument(msgspec.Struct, frozen=True):
    """What could not become an entry; `data` is base64."""

    id: int
    journal_sequence: int
    position: int
    reason: str
    received_at: str
    data: bytes


class QuarantineDocument(msgspec.Struct, frozen=True):
    """A page of the quarantine."""

    items: list[QuarantinedDocument]
    next: str | None
