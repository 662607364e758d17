"""The people of the province: one for each role, and the links by which they make their accounts their own.

Nobody has a password until the person who opens the link chooses one. A link is good once, for 24 hours; each
run makes new ones for those who have not been let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import httpx

from lienthong.client import Client, Credentials
from lienthong.kit.text import BilingualText
from lienthong.local import InstallationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FIRST: Final = "/identity/v1/invitations/first-administrator"
_PEOPLE: Final = "/identity/v1/people"
_TIMEOUT_S: Final = 10.0
DOMAIN: Final = "binh-thuan.example"
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Who has one role; `agency` is the code of the agency, empty where the role is held for the platform."""

    login: str
    name: str
    role: str
    agency: str
    role_name: BilingualText


DATA_OWNER: Final = BilingualText("Data owner", "Chủ quản dữ liệu")
#: Every role but that of the platform's operator, whose link is the first administrator's.
PEOPLE: Final = (
    DemoPerson(
        f"lan.tran@{DOMAIN}",
        "Trần Thị Lan",
        "agency-administrator",
        "H11.05",
        BilingualText("Agency administrator", "Quản trị viên cơ quan"),
    ),
    DemoPerson(
        f"minh.le@{DOMAIN}",
        "Lê Quang Minh",
        "developer",
        "H11.05",
        BilingualText("Developer", "Nhà phát triển"),
    ),
    DemoPerson(
        f"hoa.pham@{DOMAIN}",
        "Phạm Thị Hoa",
        "data-owner",
        "H11.05",
        DATA_OWNER,
    ),
    DemoPerson(
        f"son.nguyen@{DOMAIN}",
        "Nguyễn Thanh Sơn",
        "security-officer",
        "",
        BilingualText("Security officer", "Cán bộ an toàn thông tin"),
    ),
    DemoPerson(
        f"thu.do@{DOMAIN}",
        "Đỗ Minh Thư",
        "auditor",
        "",
        BilingualText("Auditor", "Kiểm toán"),
    ),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """How to sign in as a person: by the link; without one the person has chosen a password already."""

    person: DemoPerson
    link: str | None


class Administration:
    """What the province's operator asks of identity, with the token of the client `operator`.

    Its methods raise `InstallationError` where identity does not answer, or refuses.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    @classmethod
    def of(cls, operator: Path, gateway: str) -> Self:
        """Through the gateway, by the credentials in this folder.

        Raises:
            LienthongError: identity gives the operator no token.
        """
        with Client(Credentials.load(operator), gateway=gateway) as client:
            headers = {"Authorization": f"Bearer {client.token().value}"}
        return cls(httpx.Client(base_url=gateway, headers=headers, timeout=_TIMEOUT_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def first_administrator_link(self) -> str | None:
        """A one-time link for the first administrator, made anew; None where one was used."""
        try:
            answer = self._http.post(_FIRST)
            if answer.status_code == httpx.codes.CONFLICT:
                return None
            return str(answer.raise_for_status().json()["url"])
        except httpx.HTTPError as error:
            raise _failed(error) from error

    def sign_ins(self, people: Sequence[DemoPerson] = PEOPLE) -> list[SignIn]:
        """How to sign in as each of these people; who is not there yet is invited, with the one role."""
        try:
            found = self._http.get(_PEOPLE, params={"q": DOMAIN, "limit": _MOST}).raise_for_status()
            known = {str(one["login"]): one for one in found.json()["items"]}
            return [SignIn(person, self._link(person, known.get(person.login))) for person in people]
        except httpx.HTTPError as error:
            raise _failed(error) from error

    def _link(self, person: DemoPerson, known: dict[str, object] | None) -> str | None:
        if known is None:
            wanted = {
                "login": person.login,
                "name": person.name,
                "agency": person.agency,
                "roles": [{"role": person.role, "agency": person.agency}],
            }
            invited = self._http.post(_PEOPLE, json=wanted).raise_for_status()
            return str(invited.json()["link"]["url"])
        if known["state"] != "invited":
            return None
        renewed = self._http.post(f"{_PEOPLE}/{known['id']}/link")
        # The person was let in, or suspended, since the list was read.
        if renewed.status_code == httpx.codes.CONFLICT:
            return None
        return str(renewed.raise_for_status().json()["url"])


def written(sign_ins: Sequence[SignIn]) -> str:
    """The lines of the file that keeps the links: role, agency, login, and the link where there is one."""
    lines = []
    for one in sign_ins:
        parts = (one.person.role, one.person.agency or "-", one.person.login, one.link or "-")
        lines.append("\t".join(parts) + "\n")
    return "".join(lines)


def _failed(error: httpx.HTTPError) -> InstallationError:
    return InstallationError(
        f"không tạo được liên kết cho người dùng ({error}): hãy xem nhật ký của identity\n"
        f"the links for people could not be made ({error}): see the log of identity"
    )
