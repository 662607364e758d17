"""The manifest of an agency."""

from collections.abc import Collection, Iterator
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from lienthong.catalog.domain import identifiers
from lienthong.catalog.domain.drafts import Reference
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.catalog.schemas.answers import ResourceManifest
from lienthong.catalog.schemas.fields import AgencyCode, LocalizedName, PeriodEnd, PeriodStart
from lienthong.catalog.schemas.specs import Fields, ResourceSpec, period_violations
from lienthong.kit.text import BilingualText


class AgencySpec(ResourceSpec):
    """An organisation with an official code."""

    kind = ResourceKind.AGENCY

    member_class: Literal["GOV", "COM", "NGO"] = Field(alias="class")
    name: LocalizedName
    valid_from: PeriodStart | None = None
    valid_to: PeriodEnd | None = None
    replaced_by: AgencyCode | None = None
    parent: AgencyCode | None = None

    @override
    @classmethod
    def canonical_id(cls, text: str) -> str:
        return identifiers.agency_code(text)

    @override
    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        member_class = fields.get("member_class", "COM")
        if resource_id is not None and identifiers.is_tax_code(resource_id) and member_class != "COM":
            yield Violation(
                ("class",),
                BilingualText(
                    f"'{resource_id}' is a tax code, which only companies (COM) go by; use the agency's "
                    f"official code",
                    f"'{resource_id}' là mã số thuế, chỉ dùng cho doanh nghiệp (COM); hãy dùng mã cơ quan "
                    f"chính thức",
                ),
            )
        yield from period_violations(fields)
        if resource_id is not None and fields.get("parent") == resource_id:
            yield Violation(
                ("parent",),
                BilingualText("an agency is not below itself", "cơ quan không thể trực thuộc chính mình"),
            )
        if fields.get("replaced_by") is None:
            return
        if fields["replaced_by"] == resource_id:
            yield Violation(
                ("replacedBy",),
                BilingualText("an agency cannot replace itself", "cơ quan không thể tự thay thế chính mình"),
            )
        if "validTo" not in given:
            yield Violation(
                ("replacedBy",),
                BilingualText(
                    "a code that was replaced has ended; say when in 'validTo'",
                    "mã đã được thay thế thì đã hết hiệu lực; hãy ghi thời điểm trong 'validTo'",
                ),
            )

    @override
    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        for member, name in (("replaced_by", "replacedBy"), ("parent", "parent")):
            if fields.get(member) is not None:
                yield (name,), (ResourceKind.AGENCY, fields[member])


class AgencyManifest(ResourceManifest):
    """An agency."""

    kind: Literal["Agency"]
    spec: AgencySpec
    status: Literal["active"]
    merged_into: Annotated[
        str | None, Field(description="The agency that has taken over all that this one had.")
    ] = None
