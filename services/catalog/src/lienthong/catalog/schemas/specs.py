"""The `spec` of each kind of manifest: its fields, what must hold between them, and what they refer to.

Checks between fields run over the fields that were right by themselves, so that one mistake never hides
another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from typing_extensions import override

from lienthong.catalog import data_schema, identifiers, openapi, public_keys, validity
from lienthong.catalog.kinds import Key, Kind
from lienthong.catalog.mistakes import Found, Path, ValueRefusedError
from lienthong.catalog.schemas.fields import (
    AgencyCode,
    Description,
    Email,
    Name,
    OfferRef,
    Operations,
    Paragraph,
    Part,
    Purposes,
    Since,
    SystemRef,
    Until,
    Upstreams,
)

Fields = Mapping[str, Any]
Reference = tuple[Path, Key]


class Spec(Part):
    """What all specs share."""

    kind: ClassVar[Kind]

    @field_validator("*", mode="wrap")
    @classmethod
    def _remember(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        """Put each field that is right by itself into the context, for the checks between fields."""
        result = handler(value)
        if isinstance(info.context, dict) and info.field_name is not None:
            info.context[info.field_name] = result
        return result

    @classmethod
    def identify(cls, text: str) -> str:
        """Return the canonical form of an id of this kind.

        Raises:
            ValueRefusedError: it breaks the grammar.
        """
        raise NotImplementedError

    @classmethod
    def findings(cls, identity: str | None, fields: Fields, given: Collection[str]) -> Iterator[Found]:
        """Name what is wrong between fields and inside documents, paths relative to the spec.

        `fields` are those that are right by themselves, `given` names the members that were sent at all.
        """
        yield from ()

    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        """Name the resources that fields refer to, paths relative to the spec."""
        yield from ()

    @classmethod
    def owner(cls, identity: str) -> Key | None:
        """Name the resource whose part this one is, as its id says."""
        return None


class AgencySpec(Spec):
    """An organisation with an official code."""

    kind = Kind.AGENCY

    member_class: Literal["GOV", "COM", "NGO"] = Field(alias="class")
    name: Name
    valid_from: Since | None = None
    valid_to: Until | None = None
    replaced_by: AgencyCode | None = None

    @override
    @classmethod
    def identify(cls, text: str) -> str:
        return identifiers.agency_code(text)

    @override
    @classmethod
    def findings(cls, identity: str | None, fields: Fields, given: Collection[str]) -> Iterator[Found]:
        member_class = fields.get("member_class", "COM")
        if identity is not None and identifiers.is_tax_code(identity) and member_class != "COM":
            yield Found(
                ("class",),
                f"'{identity}' is a tax code, which only companies (COM) go by; use the agency's "
                f"official code",
                f"'{identity}' là mã số thuế, chỉ dùng cho doanh nghiệp (COM); hãy dùng mã cơ quan "
                f"chính thức",
            )
        yield from _period(fields)
        if fields.get("replaced_by") is None:
            return
        if fields["replaced_by"] == identity:
            yield Found(
                ("replacedBy",), "an agency cannot replace itself", "cơ quan không thể tự thay thế chính mình"
            )
        if "validTo" not in given:
            yield Found(
                ("replacedBy",),
                "a code that was replaced has ended; say when in 'validTo'",
                "mã đã được thay thế thì đã hết hiệu lực; hãy ghi thời điểm trong 'validTo'",
            )

    @override
    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        if fields.get("replaced_by") is not None:
            yield ("replacedBy",), (Kind.AGENCY, fields["replaced_by"])


class SystemSpec(Spec):
    """An information system of an agency; the unit that holds keys and calls."""

    kind = Kind.SYSTEM

    name: Name
    description: Description | None = None
    contact: Email | None = None
    jwks: dict[str, Any]

    @override
    @classmethod
    def identify(cls, text: str) -> str:
        return str(identifiers.SystemId.parse(text))

    @override
    @classmethod
    def findings(cls, identity: str | None, fields: Fields, given: Collection[str]) -> Iterator[Found]:
        del identity, given
        if "jwks" in fields:
            yield from (found.below("jwks") for found in public_keys.findings(fields["jwks"]))

    @override
    @classmethod
    def owner(cls, identity: str) -> Key:
        return Kind.AGENCY, identity.rpartition("/")[0]


class OfferSpec(Spec):
    """What a system offers to others."""

    @override
    @classmethod
    def identify(cls, text: str) -> str:
        return str(identifiers.OfferId.parse(text))

    @override
    @classmethod
    def owner(cls, identity: str) -> Key:
        return Kind.SYSTEM, identity.rpartition("/")[0]


class ServiceSpec(OfferSpec):
    """An API that a system provides."""

    kind = Kind.SERVICE

    name: Name
    upstreams: Upstreams
    timeout_ms: Annotated[int, Field(ge=10, le=600_000)] = 10_000
    max_request_bytes: Annotated[int, Field(ge=1, le=1024**3)] = 10_485_760
    write_ahead: bool = False
    openapi: dict[str, Any]

    @override
    @classmethod
    def findings(cls, identity: str | None, fields: Fields, given: Collection[str]) -> Iterator[Found]:
        del identity, given
        if "openapi" in fields:
            yield from (found.below("openapi") for found in openapi.read(fields["openapi"])[1])


class EventTypeSpec(OfferSpec):
    """A kind of event that a system publishes."""

    kind = Kind.EVENT_TYPE

    name: Name
    data_schema: dict[str, Any]

    @override
    @classmethod
    def findings(cls, identity: str | None, fields: Fields, given: Collection[str]) -> Iterator[Found]:
        del identity, given
        if "data_schema" in fields:
            yield from (found.below("dataSchema") for found in data_schema.findings(fields["data_schema"]))


class AgreementSpec(Spec):
    """What lets one system use operations of a service, or subscribe to an event type."""

    kind = Kind.AGREEMENT

    consumer: SystemRef
    service: OfferRef | None = None
    event_type: OfferRef | None = None
    operations: Operations | None = None
    purposes: Purposes
    legal_ground: Paragraph
    valid_from: Since | None = None
    valid_to: Until | None = None
    status: Literal["requested", "approved"] = "requested"

    @override
    @classmethod
    def identify(cls, text: str) -> str:
        return identifiers.agreement_id(text)

    @override
    @classmethod
    def findings(cls, identity: str | None, fields: Fields, given: Collection[str]) -> Iterator[Found]:
        del identity
        if "service" not in given and "eventType" not in given:
            yield Found(
                ("service",),
                "is missing; name the 'service' or the 'eventType' that the agreement is about",
                "còn thiếu; hãy nêu 'service' hoặc 'eventType' mà thoả thuận nói tới",
            )
        if "service" in given and "eventType" in given:
            yield Found(
                ("eventType",),
                "an agreement is about a service or an event type, not both; make two",
                "một thoả thuận chỉ về một dịch vụ hoặc một loại sự kiện; hãy lập hai thoả thuận",
            )
        if fields.get("operations") == []:
            # Who reads it takes it for none, who leaves it out means all: nothing must depend on the guess.
            yield Found(
                ("operations",),
                "an empty list allows nothing; name the operations, or leave it out to allow all",
                "danh sách trống không cho phép thao tác nào; hãy nêu các thao tác, hoặc bỏ đi để cho phép "
                "tất cả",
            )
        if fields.get("operations") and "eventType" in given:
            yield Found(
                ("operations",),
                "an event type has no operations; leave them out",
                "loại sự kiện không có thao tác; hãy bỏ trống",
            )
        yield from _period(fields)

    @override
    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        named = (("consumer", "consumer", Kind.SYSTEM), ("service", "service", Kind.SERVICE))
        for field, member, kind in (*named, ("event_type", "eventType", Kind.EVENT_TYPE)):
            if fields.get(field) is not None:
                yield (member,), (kind, fields[field])


SPECS: Mapping[Kind, type[Spec]] = {
    spec.kind: spec for spec in (AgencySpec, SystemSpec, ServiceSpec, EventTypeSpec, AgreementSpec)
}


def _period(fields: Fields) -> Iterator[Found]:
    try:
        validity.check_order(fields.get("valid_from"), fields.get("valid_to"))
    except ValueRefusedError as refusal:
        yield Found(("validTo",), refusal.en, refusal.vi)
