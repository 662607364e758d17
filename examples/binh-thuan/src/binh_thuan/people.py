"""The people of the province: for now the link by which the first administrator makes an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from lienthong.client import Client, Credentials
from lienthong.local import InstallationError

if TYPE_CHECKING:
    from pathlib import Path

_PATH: Final = "/identity/v1/invitations/first-administrator"
_TIMEOUT_S: Final = 10.0


def first_administrator_link(operator: Path, gateway: str) -> str | None:
    """A one-time link for the first administrator, made anew; None where somebody has used one already.

    Raises:
        LienthongError: identity gives the operator no token.
        InstallationError: identity does not answer, or refuses.
    """
    with Client(Credentials.load(operator), gateway=gateway) as client:
        headers = {"Authorization": f"Bearer {client.token().value}"}
    try:
        answer = httpx.post(f"{gateway}{_PATH}", headers=headers, timeout=_TIMEOUT_S)
        if answer.status_code == httpx.codes.CONFLICT:
            return None
        return str(answer.raise_for_status().json()["url"])
    except httpx.HTTPError as error:
        raise InstallationError(
            f"không tạo được liên kết cho quản trị viên đầu tiên ({error}): hãy xem nhật ký của identity\n"
            f"the link for the first administrator could not be made ({error}): see the log of identity"
        ) from error
