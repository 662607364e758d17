"""The names of operations: what agreements, records and people call them by.

An `operationId` is text of the provider's choice (OpenAPI 3.1.1, section 4.8.10): `getParcel`, and also
`actions/list-jobs`. Where a document gives none, one is made of the method and the path.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from lienthong.catalog.domain.plain_text import plain_text
from lienthong.catalog.errors import InvalidValueError
from lienthong.kit.field_paths import EVERY_OPERATION

MAX_NAME: Final = 255
"""Characters; the ledger's index has no longer ones."""
_DIGITS: Final = 16
"""Of the digest at the end of a name that was cut: two paths of a document never have the same by chance."""


def operation_name(written: str) -> str:
    """Return the name of an operation in its one spelling: trimmed, in Unicode NFC.

    Raises:
        InvalidValueError: it is empty, longer than `MAX_NAME` characters, holds what is not seen, or is what
            stands for every operation.
    """
    name = plain_text(written, MAX_NAME)
    if name == EVERY_OPERATION:
        raise InvalidValueError(
            f"'{EVERY_OPERATION}' stands for every operation in agreements; use another name",
            f"'{EVERY_OPERATION}' là mọi thao tác trong thoả thuận; hãy dùng tên khác",
        )
    return name


def made_name(method: str, path: str) -> str:
    """Return the name of an operation that its document gives none, such as `GET /parcels/{id}`.

    It hangs on nothing else in the document. One that is too long keeps its beginning, and ends with a digest
    of the whole.
    """
    whole = f"{method} {path}"
    if len(whole) <= MAX_NAME:
        return whole
    return f"{whole[: MAX_NAME - _DIGITS - 1]}~{sha256(whole.encode()).hexdigest()[:_DIGITS]}"
