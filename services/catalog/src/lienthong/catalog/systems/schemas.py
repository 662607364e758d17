"""The manifest of a system."""

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from typing_extensions import override

from lienthong.catalog.domain import identifiers
from lienthong.catalog.domain.resources import ResourceKey, ResourceKind
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.schemas.answers import ResourceManifest, ResourceStatus
from lienthong.catalog.schemas.fields import LocalizedDescription, LocalizedName, checked
from lienthong.catalog.schemas.specs import Fields, ResourceSpec
from lienthong.catalog.systems.domain import public_keys

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_EMAIL_MAX = 254


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value) or len(value) > _EMAIL_MAX:
        raise InvalidValueError(
            "write an address like 'land@example.vn'", "hãy viết địa chỉ thư như 'land@example.vn'"
        )
    return value


Email = Annotated[str, checked(_email)]


class SystemSpec(ResourceSpec):
    """An information system of an agency; the unit that holds keys and calls."""

    kind = ResourceKind.SYSTEM

    name: LocalizedName
    description: LocalizedDescription | None = None
    contact: Email | None = None
    jwks: dict[str, Any]

    @override
    @classmethod
    def canonical_id(cls, text: str) -> str:
        return str(identifiers.SystemId.parse(text))

    @override
    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        del resource_id, given
        if "jwks" in fields:
            yield from (violation.under("jwks") for violation in public_keys.violations(fields["jwks"]))

    @override
    @classmethod
    def owner(cls, resource_id: str) -> ResourceKey:
        return ResourceKind.AGENCY, resource_id.rpartition("/")[0]


class SystemManifest(ResourceManifest):
    """A system."""

    kind: Literal["System"]
    spec: SystemSpec
    status: ResourceStatus
