"""Codes and identifiers: their grammar and their canonical form.

Agency codes follow QĐ 20/2020 (`H49.15`, top level first). The older form of QCVN 102:2016 (`000.00.15.H49`,
top level last) is accepted and converted, so that an agency never has two ids. A company is identified by
its tax code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lienthong.catalog.errors import InvalidValueError

AGENCY_MAX = 35

_AGENCY = re.compile(r"[A-Z][0-9]{2}(\.[0-9A-Z]+)*")
_AGENCY_TOP_LAST = re.compile(r"([0-9]{3})\.([0-9]{2})\.([0-9]{2})\.([A-Z][0-9]{2})")
_TAX_CODE = re.compile(r"[0-9]{10}(-[0-9]{3})?")
_SYSTEM = re.compile(r"[a-z][a-z0-9-]{1,62}")
_VERSIONED = re.compile(r"[a-z][a-z0-9-]*-v[1-9][0-9]*")
_VERSIONED_MAX = 63
_AGREEMENT = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")


def agency_code(text: str) -> str:
    """Return the canonical form of an agency code or a company's tax code.

    Raises:
        InvalidValueError: it is neither, or it is in the old form and would mean another agency in the new.
    """
    if old := _AGENCY_TOP_LAST.fullmatch(text):
        fourth, third, second, first = old.groups()
        if second == "00" and third != "00":
            raise InvalidValueError(
                f"'{text}' has a third level without a second and would be mistaken for another agency; "
                f"write the code from the top level down, like 'H49.15'",
                f"'{text}' có cấp ba mà không có cấp hai nên dễ nhầm với cơ quan khác; "
                f"hãy viết mã từ cấp trên xuống, ví dụ 'H49.15'",
            )
        return ".".join([first, *(group for group in (second, third, fourth) if group.strip("0"))])
    if is_tax_code(text) or (_AGENCY.fullmatch(text) and len(text) <= AGENCY_MAX):
        return text
    raise InvalidValueError(
        f"'{_short(text)}' is not an agency code; write it like 'H11.05' (or '000.00.05.H11'), "
        f"at most {AGENCY_MAX} characters, or as a company's tax code of 10 digits",
        f"'{_short(text)}' không phải mã cơ quan; hãy viết như 'H11.05' (hoặc '000.00.05.H11'), "
        f"không quá {AGENCY_MAX} ký tự, hoặc mã số thuế 10 chữ số của doanh nghiệp",
    )


def is_tax_code(code: str) -> bool:
    """Tell whether the code is a company's tax code (10 digits, a branch adds `-001`)."""
    return _TAX_CODE.fullmatch(code) is not None


def system_code(text: str) -> str:
    """Check the code of a system, e.g. `land`.

    Raises:
        InvalidValueError: it breaks the grammar.
    """
    if _SYSTEM.fullmatch(text):
        return text
    raise InvalidValueError(
        f"'{_short(text)}' is not a system code; use 2 to 63 lower-case letters, digits and '-', "
        f"beginning with a letter, like 'one-stop'",
        f"'{_short(text)}' không phải mã hệ thống; dùng 2 đến 63 chữ thường, chữ số và '-', "
        f"bắt đầu bằng chữ cái, ví dụ 'one-stop'",
    )


def versioned_code(text: str) -> str:
    """Check the code of a service or event type, which ends in its major version, e.g. `parcels-v1`.

    Raises:
        InvalidValueError: it breaks the grammar.
    """
    if _VERSIONED.fullmatch(text) and len(text) <= _VERSIONED_MAX:
        return text
    raise InvalidValueError(
        f"'{_short(text)}' is not a service or event type code; use lower-case letters, digits and '-', "
        f"end it with the major version, at most {_VERSIONED_MAX} characters, like 'parcels-v1'",
        f"'{_short(text)}' không phải mã dịch vụ hay loại sự kiện; dùng chữ thường, chữ số và '-', "
        f"kết thúc bằng phiên bản chính, không quá {_VERSIONED_MAX} ký tự, ví dụ 'parcels-v1'",
    )


def agreement_id(text: str) -> str:
    """Return the canonical id of an agreement: a plain name, or one in the name space of a system.

    The operator gives plain names, e.g. `one-stop-parcels`. What a system asks for is called
    `{agency}.{system}.{name}`, e.g. `H11.01.one-stop.parcels`: no system can take, or guess and block, the
    name of another's agreement.

    Raises:
        InvalidValueError: it breaks the grammar.
    """
    if _AGREEMENT.fullmatch(text):
        return text
    owner, _, name = text.rpartition(".")
    agency, _, system = owner.rpartition(".")
    # A system's code begins with a letter, an agency's further parts have no small ones: one reading only.
    if _AGREEMENT.fullmatch(name) and _SYSTEM.fullmatch(system):
        return f"{agency_code(agency)}.{system}.{name}"
    raise InvalidValueError(
        f"'{_short(text)}' is not an agreement id; use 3 to 63 lower-case letters, digits and '-', "
        f"like 'one-stop-parcels', or with the system that asks, like 'H11.01.one-stop.parcels'",
        f"'{_short(text)}' không phải mã thoả thuận; dùng 3 đến 63 chữ thường, chữ số và '-', "
        f"ví dụ 'one-stop-parcels', hoặc kèm hệ thống đề nghị, ví dụ 'H11.01.one-stop.parcels'",
    )


def requested_agreement_id(system: str, text: str) -> str:
    """Return the id of an agreement that a system (`{agency}/{system}`) asks for.

    It lies in the system's own name space, which may be written or left out: `parcels` asked for by
    `H11.01/one-stop` is `H11.01.one-stop.parcels`.

    Raises:
        InvalidValueError: it breaks the grammar, or lies in another system's name space.
    """
    own = system.replace("/", ".")
    if _AGREEMENT.fullmatch(text):
        return f"{own}.{text}"
    if (canonical := agreement_id(text)).rpartition(".")[0] != own:
        raise InvalidValueError(
            f"'{_short(text, 200)}' belongs to another system; ids of yours begin with '{own}.'",
            f"'{_short(text, 200)}' thuộc hệ thống khác; mã của bạn bắt đầu bằng '{own}.'",
        )
    return canonical


@dataclass(frozen=True, slots=True)
class SystemId:
    """`{agency}/{system}`: an information system of an agency, and its OAuth 2 client_id."""

    agency: str
    code: str

    def __str__(self) -> str:
        return f"{self.agency}/{self.code}"

    @classmethod
    def parse(cls, text: str) -> SystemId:
        """Read a system id in either form of its agency code.

        Raises:
            InvalidValueError: a part is missing or breaks its grammar.
        """
        parts = text.split("/")
        if len(parts) != 2:
            raise InvalidValueError(
                f"'{_short(text)}' is not a system id; write {{agency}}/{{system}}, like 'H11.05/land'",
                f"'{_short(text)}' không phải mã định danh hệ thống; viết {{cơ quan}}/{{hệ thống}}, ví "
                f"dụ 'H11.05/land'",
            )
        return cls(agency_code(parts[0]), system_code(parts[1]))


@dataclass(frozen=True, slots=True)
class ProvidedId:
    """`{agency}/{system}/{code}`: a service or an event type that a system provides."""

    system: SystemId
    code: str

    def __str__(self) -> str:
        return f"{self.system}/{self.code}"

    @classmethod
    def parse(cls, text: str) -> ProvidedId:
        """Read the id of a service or event type in either form of its agency code.

        Raises:
            InvalidValueError: a part is missing or breaks its grammar.
        """
        parts = text.split("/")
        if len(parts) != 3:
            raise InvalidValueError(
                f"'{_short(text)}' is not a service or event type id; write {{agency}}/{{system}}/{{code}}, "
                f"like 'H11.05/land/parcels-v1'",
                f"'{_short(text)}' không phải mã định danh dịch vụ hay loại sự kiện; "
                f"viết {{cơ quan}}/{{hệ thống}}/{{mã}}, ví dụ 'H11.05/land/parcels-v1'",
            )
        return cls(SystemId(agency_code(parts[0]), system_code(parts[1])), versioned_code(parts[2]))


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
