"""The manifest of a system."""

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from typing_extensions import override

from lienthong.catalog.domain import identifiers
from lienthong.catalog.domain.resources import ResourceKey, ResourceKind
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.schemas.answers import ResourceManifest, ResourceStatus
from lienthong.catalog.schemas.fields import (
    LocalizedDescription,
    LocalizedName,
    Purpose,
    StrictModel,
    checked,
    unique,
)
from lienthong.catalog.schemas.specs import Fields, ResourceSpec
from lienthong.catalog.systems.domain import public_keys, service_accounts
from lienthong.catalog.systems.domain.certificates import sha256
from lienthong.catalog.systems.domain.key_ends import end_of
from lienthong.catalog.systems.domain.networks import network
from lienthong.catalog.systems.domain.system import Suspender, SystemResource
from lienthong.kit.text import BilingualText

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_EMAIL_MAX = 254


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value) or len(value) > _EMAIL_MAX:
        raise InvalidValueError(
            "write an address like 'land@example.vn'", "hãy viết địa chỉ thư như 'land@example.vn'"
        )
    return value


Email = Annotated[str, checked(_email)]
Networks = Annotated[
    list[Annotated[str, checked(network)]], Field(min_length=1, max_length=16), AfterValidator(unique)
]
Connection: TypeAlias = Literal["bearer", "http", "certificate"]
MAX_CERTIFICATES = 16
Certificates = Annotated[
    list[Annotated[str, checked(sha256)]],
    Field(min_length=1, max_length=MAX_CERTIFICATES),
    AfterValidator(unique),
]


MAX_SERVICE_ACCOUNTS = 16


class ServiceAccountSpec(StrictModel):
    """A Kubernetes service account by whose tokens a system proves itself."""

    issuer: Annotated[str, checked(service_accounts.issuer)]
    namespace: Annotated[str, checked(service_accounts.namespace)]
    name: Annotated[str, checked(service_accounts.name)]


class XRoadSpec(StrictModel):
    """How a system calls as a client of X-Road or of GovStack."""

    connection: Connection = "bearer"
    networks: Networks | None = None
    purpose: Purpose | None = None


class SystemSpec(ResourceSpec):
    """An information system of an agency; the unit that holds keys and calls."""

    kind = ResourceKind.SYSTEM

    name: LocalizedName
    description: LocalizedDescription | None = None
    contact: Email | None = None
    xroad: XRoadSpec | None = None
    jwks: dict[str, Any]
    certificates: Certificates | None = None
    service_accounts: (
        Annotated[list[ServiceAccountSpec], Field(min_length=1, max_length=MAX_SERVICE_ACCOUNTS)] | None
    ) = None

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
        xroad: XRoadSpec | None = fields.get("xroad")
        if xroad is not None and xroad.connection == "http" and xroad.networks is None:
            yield Violation(
                ("xroad", "networks"),
                BilingualText(
                    "is missing; with the connection 'http' the network alone says who calls: name where the"
                    " system calls from",
                    "còn thiếu; với kết nối 'http' chỉ có mạng cho biết ai gọi: hãy nêu mạng mà hệ thống gọi"
                    " từ đó",
                ),
            )
        if xroad is not None and xroad.connection == "certificate" and fields.get("certificates") is None:
            yield Violation(
                ("certificates",),
                BilingualText(
                    "is missing; with the connection 'certificate' the certificate alone says who calls:"
                    " write the SHA-256 of each that the system shows",
                    "còn thiếu; với kết nối 'certificate' chỉ có chứng thư cho biết ai gọi: hãy ghi SHA-256"
                    " của từng chứng thư mà hệ thống xuất trình",
                ),
            )
        if xroad is not None and xroad.connection != "http" and xroad.networks is not None:
            yield Violation(
                ("xroad", "networks"),
                BilingualText(
                    f"only the connection 'http' goes by networks, not '{xroad.connection}'; leave them out",
                    f"chỉ kết nối 'http' dựa vào mạng, '{xroad.connection}' thì không; hãy bỏ trống",
                ),
            )

    @override
    @classmethod
    def owner(cls, resource_id: str) -> ResourceKey:
        return ResourceKind.AGENCY, resource_id.rpartition("/")[0]


class SystemManifest(ResourceManifest):
    """A system."""

    kind: Literal["System"]
    spec: SystemSpec
    status: ResourceStatus
    agency: Annotated[
        str | None,
        Field(description="The agency that has it since that of its id was merged; absent where none was."),
    ] = None
    suspended_by: Annotated[
        Suspender | None,
        Field(description="For whom it is suspended: what the platform suspended, it alone resumes."),
    ] = None


class NewKey(StrictModel):
    """A public key that a system gets."""

    jwk: Annotated[dict[str, Any], Field(description="A public key (RFC 7517), as in the manifest's `jwks`.")]


class KeyView(BaseModel):
    """A public key of a system."""

    thumbprint: Annotated[str, Field(description="RFC 7638; what the key is retired by.")]
    jwk: Annotated[dict[str, Any], Field(description="The key as it was registered (RFC 7517).")]
    not_after: Annotated[
        AwareDatetime | None, Field(description="When it ends; null where it has no end.")
    ] = None


class KeyList(BaseModel):
    """The public keys of a system; all are good at once."""

    system: str
    version: Annotated[int, Field(description="The catalog's version of the system.", ge=1)]
    keys: list[KeyView]


def key_list(system: SystemResource) -> KeyList:
    """Return the keys of a system as they are shown."""
    keys = [
        KeyView(thumbprint=public_keys.thumbprint_of(key), jwk=key, not_after=end_of(key))
        for key in system.spec["jwks"]["keys"]
    ]
    return KeyList(system=system.id, version=system.version, keys=keys)
