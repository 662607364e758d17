"""The parameters of requests to the ledger and the documents that it answers with."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lienthong.kit.clock import parse_rfc3339

DEFAULT_PAGE = 50
LARGEST_PAGE = 500

_OFFSET_AFTER_SPACE = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)")


def _moment(text: str) -> datetime:
    # A plus that was typed into an address arrives as a space (the form encoding of queries).
    return parse_rfc3339(_OFFSET_AFTER_SPACE.sub("+", text))


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""An RFC 3339 time; `parse_rfc3339` says what becomes of leap seconds and long fractions."""


PersonHash = Annotated[str, Field(pattern=r"^hmac-sha256:[0-9a-f]{64}$")]
MOST_HASHES = 16
"""Of one person: one for each key that the installation has had."""


class SearchParameters(BaseModel):
    """The filters of a search; an unknown one is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tx: str | None = Field(None, min_length=1, max_length=128, description="The transaction id.")
    client: str | None = Field(
        None, min_length=1, max_length=255, description="The calling system, or who administered."
    )
    service: str | None = Field(None, min_length=1, max_length=255, description="The service called.")
    agency: str | None = Field(
        None, min_length=1, max_length=255, description="The agency of the caller or of the provider."
    )
    kind: str | None = Field(None, min_length=1, max_length=64, description="The kind of record.")
    status: int | None = Field(None, ge=100, le=599, description="The HTTP status of the answer.")
    person: list[PersonHash] = Field(
        [],
        max_length=MOST_HASHES,
        description="Keyed hashes of a person that the record names.",
    )
    since: Moment | None = Field(None, alias="from", description="The earliest `at`, inclusive.")
    until: Moment | None = Field(None, alias="to", description="The latest `at`, exclusive.")
    unfinished: bool = Field(
        False, description="Only beginnings of endless answers whose end is not in the log."
    )
    order: Literal["asc", "desc"] = Field("desc", description="By index: oldest or newest first.")
    cursor: int | None = Field(None, ge=0, le=2**62, description="The `next` of the previous page.")
    limit: int = Field(DEFAULT_PAGE, ge=1, le=LARGEST_PAGE, description="The size of a page.")


class EntryDocument(msgspec.Struct, frozen=True):
    """An entry; `record` is the JSON object that was recorded, byte for byte."""

    index: int
    record: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]


class EntryPageDocument(msgspec.Struct, frozen=True):
    """A page of entries; `next` is the cursor of the next one, null on the last."""

    items: list[EntryDocument]
    next: str | None


class QuarantinedDocument(msgspec.Struct, frozen=True):
    """A journal record that could not become an entry; `data` is its bytes in base64."""

    id: int
    journal_sequence: int
    position: int
    reason: str
    received_at: str
    data: bytes


class QuarantinePageDocument(msgspec.Struct, frozen=True):
    """A page of the quarantine; `next` is the cursor of the next one, null on the last."""

    items: list[QuarantinedDocument]
    next: str | None


class IndexDifferenceDocument(msgspec.Struct, frozen=True):
    """A search column that does not say what the entry's record says; null is nothing.

    `column` is `row` where the row is missing or cannot be read, `data` where the record is none, and
    `lookup of …` where the database's own index does not lead to the entry.
    """

    index: int
    column: str
    stored: str | None
    expected: str | None


class IndexCheckDocument(msgspec.Struct, frozen=True):
    """The outcome for `checked` entries from `first` on; `next` is the cursor of the others, or null."""

    first: int
    checked: int
    differences: list[IndexDifferenceDocument]
    next: str | None


class JournalPlaceDocument(msgspec.Struct, frozen=True):
    """The ledger's place in the journal, and the journal as it is.

    `stream` is when the journal was created of which the log has everything up to the message `sequence`;
    `journal` and `last_sequence` are the present one, null where the bus does not answer.
    """

    state: Literal[
        "empty",
        "agrees",
        "aged-out",
        "shorter",
        "other-message",
        "not-integrated",
        "replaced",
        "unknown",
    ]
    stream: str
    sequence: int
    journal: str | None
    last_sequence: int | None
