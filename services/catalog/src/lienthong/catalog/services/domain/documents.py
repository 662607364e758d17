"""The document of a service in OpenAPI, whichever version it is given in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.errors import Violation
from lienthong.catalog.services.domain import openapi, wsdl
from lienthong.catalog.services.domain.servers import server_notices
from lienthong.catalog.services.domain.swagger import convert, is_swagger
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lienthong.catalog.domain.resources import ServiceOperation
    from lienthong.kit.json_text import JsonObject


@dataclass(frozen=True, slots=True)
class Described:
    """A document as it is kept, its operations, and what is wrong in the one that was given."""

    document: JsonObject
    operations: tuple[ServiceOperation, ...]
    violations: tuple[Violation, ...]


def described(
    document: JsonObject,
    *,
    check_requests: bool = False,
    check_answers: bool = False,
    shown: Collection[str] = (),
) -> Described:
    """Read a document as `openapi.read` does; one of OpenAPI 2.0 is kept as one of 3.0."""
    if not is_swagger(document):
        found, wrong = openapi.read(
            document, check_requests=check_requests, check_answers=check_answers, shown=shown
        )
        return Described(document, found, wrong)
    converted = convert(document)
    if not converted.document:
        return Described(document, (), converted.violations)
    found, wrong = openapi.read(
        converted.document, check_requests=check_requests, check_answers=check_answers, shown=shown
    )
    return Described(
        converted.document, found, (*converted.violations, *(converted.as_given(one) for one in wrong))
    )


def document_notices(
    service: str, spec: JsonObject, operations: Sequence[ServiceOperation]
) -> Iterator[Violation]:
    """Yield what whoever registers a service should know of its document.

    Paths are relative to the manifest.
    """
    if (text := spec.get("wsdl")) is not None:
        yield from (violation.under("spec", "wsdl") for violation in wsdl.not_offered(text))
        return
    yield from server_notices(service, spec)
    if not operations:
        yield Violation(
            ("spec", "openapi", "paths"),
            BilingualText(
                "the document offers no operation: each call is answered 404; add a method to a path, unless "
                "the provider only calls others (webhooks)",
                "tài liệu không có thao tác nào: mọi lời gọi đều bị trả lời 404; hãy thêm phương thức vào "
                "một đường dẫn, trừ khi bên cung cấp chỉ gọi ra ngoài (webhooks)",
            ),
        )
