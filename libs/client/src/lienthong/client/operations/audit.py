"""Operations of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.client.operations.operation import (
    JSON,
    Operation,
    given,
    json_bytes,
    json_object,
    page_of,
    path_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.client.answers import Page


def receipt(transaction_id: str, kind: str | None = None) -> Operation[str]:
    """The receipt of the record of this kind of a transaction, by default `call` (c2sp.org/tlog-proof@v1)."""
    path = f"/audit/v1/receipts/{path_of(transaction_id)}"
    return Operation("GET", path, lambda response: response.text, params=given({"kind": kind}))


def entries(
    filters: Mapping[str, Any], *, cursor: str | None = None, limit: int | None = None
) -> Operation[Page]:
    """A page of the ledger's entries that match all filters.

    Filters are `tx`, `client`, `service`, `agency`, `kind`, `status`, `person` (hashes), `from` and `to`
    (RFC 3339), as in docs/reference/ledger.md.
    """
    params = given({**filters, "cursor": cursor, "limit": limit})
    return Operation("GET", "/audit/v1/entries", page_of, params=params)


def usage(filters: Mapping[str, Any]) -> Operation[Mapping[str, Any]]:
    """How many calls there were that match all filters, by what `by` names, with commas between.

    Filters are `from` and `to` (RFC 3339), `limit` (of groups), and those in docs/reference/ledger.md.
    """
    return Operation("GET", "/audit/v1/usage", json_object, params=given(filters))


def person_hashes(value: str) -> Operation[list[str]]:
    """Under which hashes records have the person that `value` names; answered by the gateway."""
    return Operation(
        "POST",
        "/audit/v1/person-hashes",
        lambda response: [str(hashed) for hashed in json_object(response)["hashes"]],
        headers=JSON,
        content=json_bytes({"value": value}),
    )


def audit_file(path: str, *, public: bool) -> Operation[bytes]:
    """A file of the log as C2SP names it: `checkpoint`, `key`, `tile/…`."""
    return Operation("GET", f"/audit/{path}", lambda response: response.content, public=public)
