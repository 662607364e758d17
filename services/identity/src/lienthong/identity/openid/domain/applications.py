"""Applications: the clients in which people sign in, or which act for them, and the addresses to which
browsers are sent back.

An address is compared as it was registered, character by character (RFC 9700 §4.1.3, OpenID Connect Core
§3.1.2.1); of one on the machine itself the port may be another (RFC 8252 §7.3).
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from lienthong.kit.text import BilingualText

MOST_ADDRESSES: Final = 20
LONGEST_ADDRESS: Final = 1000
"""Characters."""

_LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
"""Of a URI without a fragment (RFC 3986 §2), and nothing that browsers read otherwise."""
_ANY_PORT: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(/[^#]*)")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?=/|\?|$)", re.IGNORECASE)
_OURS: Final = frozenset(("code", "state", "iss", "error", "error_description", "error_uri", "response"))


class UnusableAddressError(Exception):
    """An address cannot be registered; `text` says why."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)


@dataclass(frozen=True, slots=True)
class Application:
    """A client in which people may sign in, or which may act for them.

    The addresses are those to which a browser is sent back with a code, and after signing out; at `logout`
    the application is told of sessions that have ended (OpenID Connect Back-Channel Logout §2.2).
    """

    client_id: str
    name: BilingualText
    redirects: tuple[str, ...]
    after_sign_out: tuple[str, ...] = ()
    logout: str | None = None
    acts_for_people: bool = False
    """Whether it may exchange people's tokens for such that call services (RFC 8693). One that does only this
    has no addresses."""

    def takes(self, redirect: str) -> bool:
        """Whether a browser may be sent to this address with a code."""
        return redirect in self.redirects or _without_port(redirect) in {
            known for one in self.redirects if (known := _without_port(one)) is not None
        }


def check_address(given: str) -> str:
    """An address of an application: https, or http on the machine itself.

    Raises:
        UnusableAddressError: it is not one that can be compared and relied on.
    """
    if len(given) > LONGEST_ADDRESS:
        raise UnusableAddressError(
            f"must have at most {LONGEST_ADDRESS} characters", f"không được quá {LONGEST_ADDRESS} ký tự"
        )
    if _CHARACTERS.fullmatch(given) is None:
        raise UnusableAddressError(
            "must be an absolute URI in ASCII without a fragment, spaces or backslashes",
            "phải là URI tuyệt đối bằng ký tự ASCII, không có phần #, dấu cách hay dấu \\",
        )
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if not host or parts.username is not None or not given.startswith(f"{parts.scheme}://"):
        raise UnusableAddressError(
            "must be like https://app.example.gov.vn/callback, without a user name",
            "phải có dạng https://app.example.gov.vn/callback, không kèm tên người dùng",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise UnusableAddressError(
            "must be https; http only for 127.0.0.1, [::1] and localhost",
            "phải dùng https; http chỉ cho 127.0.0.1, [::1] và localhost",
        )
    if parts.netloc != parts.netloc.lower() or not parts.path or _DOTS.search(parts.path):
        raise UnusableAddressError(
            "must have its host in small letters and a path, without . or .. in it",
            "phải có tên máy chủ viết thường và đường dẫn, không chứa . hoặc ..",
        )
    if "*" in given:
        raise UnusableAddressError(
            "has a *: addresses are compared as they are, there are no patterns",
            "có dấu *: địa chỉ được so khớp nguyên văn, không dùng mẫu",
        )
    return given


def check_redirect(given: str) -> str:
    """As `check_address`, for one to which answers are added.

    Raises:
        UnusableAddressError: also where its query has a parameter of the answer.
    """
    address = check_address(given)
    query = urlsplit(address).query
    taken = _OURS & {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    if taken:
        raise UnusableAddressError(
            f"has a parameter of the answer in its query: {min(taken)}",
            f"có tham số của câu trả lời trong phần truy vấn: {min(taken)}",
        )
    return address


def _without_port(address: str) -> str | None:
    """An address on the machine itself, by number, without its port; None for any other."""
    found = _ANY_PORT.fullmatch(address)
    return None if found is None else f"{found[1]}{found[2]}"
