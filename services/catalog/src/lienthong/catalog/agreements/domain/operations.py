"""The operations that agreements name exist, and stay as long as an open agreement names them; of those whose
answers cannot be shortened no agreement names fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.kit.field_paths import EVERY_OPERATION
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lienthong.catalog.domain.drafts import Draft
    from lienthong.catalog.domain.resources import ServiceOperation

_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class OpenAgreement:
    """An agreement that is requested or approved, with the operations that it names."""

    id: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """What the open agreements on a service allow: how many they are, the first, and their operations.

    `operations` is None where one of them allows all.
    """

    agreements: int
    first: str
    operations: frozenset[str] | None

    def reaches(self, operation: str) -> bool:
        """Whether one of them allows an operation."""
        return self.operations is None or operation in self.operations


def unknown_operations(
    drafts: Iterable[Draft], operations: Mapping[str, Sequence[ServiceOperation]]
) -> Iterator[Violation]:
    """Yield each operation that an agreement names and its service does not have, and fields of SOAP.

    `operations` are those of the services; a service that is not in it is not checked.
    """
    for draft in drafts:
        if draft.kind is not ResourceKind.AGREEMENT or draft.spec is None or "service" not in draft.spec:
            continue
        service = draft.spec["service"]
        if service not in operations:
            continue
        known = {operation.id for operation in operations[service]}
        if "fields" in draft.spec and _is_soap(operations[service]):
            # The gateway shortens JSON alone: it would refuse each answer.
            yield Violation((*draft.spec_path, "fields"), _of_soap(service))
            continue
        for name in draft.spec.get("fields", ()):
            if name != EVERY_OPERATION and name not in known:
                yield Violation((*draft.spec_path, "fields", name), _unknown(service, name, known))
        for index, name in enumerate(draft.spec.get("operations", ())):
            if name not in known:
                yield Violation((*draft.spec_path, "operations", index), _unknown(service, name, known))


def removed_operations(
    drafts: Iterable[Draft], open_agreements: Mapping[str, Sequence[OpenAgreement]]
) -> Iterator[Violation]:
    """Yield each service that no longer has an operation named by an open agreement.

    `open_agreements` are those that are not changed by the same request, by the id of their service.
    """
    for draft in drafts:
        if draft.kind is not ResourceKind.SERVICE or draft.operations is None:
            continue
        offered = {operation.id for operation in draft.operations}
        for agreement in open_agreements.get(draft.id, ()):
            removed = [name for name in agreement.operations if name not in offered]
            if removed:
                described = ("wsdl",) if _is_soap(draft.operations) else ("openapi", "paths")
                yield Violation(
                    (*draft.spec_path, *described),
                    BilingualText(
                        f"the agreement '{agreement.id}' in force names the operation '{removed[0]}', "
                        f"which is gone; keep it, or change or revoke the agreement first",
                        f"thoả thuận '{agreement.id}' đang có hiệu lực dùng thao tác '{removed[0]}' đã bị "
                        f"bỏ; hãy giữ lại, hoặc sửa hay thu hồi thoả thuận trước",
                    ),
                )


def _is_soap(operations: Iterable[ServiceOperation]) -> bool:
    return any(operation.soap is not None for operation in operations)


def _of_soap(service: str) -> BilingualText:
    return BilingualText(
        f"answers of '{service}' are SOAP, and only JSON can be shortened to agreed fields; leave them out,"
        " and name 'operations' whose answers the consumer may see whole",
        f"trả lời của '{service}' là SOAP, mà chỉ JSON mới rút gọn được theo trường đã thoả thuận; hãy bỏ,"
        " và nêu trong 'operations' những thao tác mà bên khai thác được xem trọn trả lời",
    )


def _unknown(service: str, name: str, known: Collection[str]) -> BilingualText:
    return BilingualText(
        f"'{service}' has no operation '{name}'; it has: {_listed(known)}",
        f"'{service}' không có thao tác '{name}'; các thao tác hiện có: {_listed(known)}",
    )


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_MOST_LISTED])
    return shown + (", …" if len(names) > _MOST_LISTED else "")
