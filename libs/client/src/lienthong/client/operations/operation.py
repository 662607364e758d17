"""A request as a value, and the ways of writing and reading JSON that requests share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from lienthong.client.answers import Page
from lienthong.client.errors import NotAGatewayError, Text
from lienthong.client.problems import ERROR_HEADER, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx

T = TypeVar("T")

EMPTY: Mapping[str, str] = MappingProxyType({})
JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """A request to the gateway and the reading of its answer.

    `timeout` is added to the client's own (for requests on which the bus waits). `provider_errors` says that
    an error without LGSP-Error is the provider's own answer and is handed back like any other. `public` needs
    no token.
    """

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    params: Mapping[str, str | Sequence[str]] = field(default_factory=lambda: EMPTY)
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    content: bytes | None = None
    timeout: float = 0.0
    provider_errors: bool = False
    public: bool = False

    def read(self, response: httpx.Response) -> T:
        """The result of an answer whose body was read; raises `RefusedError` or `NotAGatewayError`."""
        if response.is_error and not (self.provider_errors and ERROR_HEADER not in response.headers):
            raise refusal(response)
        try:
            return self.parse(response)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotAGatewayError(
                Text("Không hiểu câu trả lời", "The answer cannot be understood"),
                Text(
                    f"{self.method} {self.path}: câu trả lời {response.status_code} không đúng đặc tả.",
                    f"{self.method} {self.path}: the answer {response.status_code} is not as specified.",
                ),
                Text(
                    "Kiểm tra địa chỉ cổng và phiên bản: lienthong doctor",
                    "Check the gateway's address and the versions: lienthong doctor",
                ),
            ) from error


def json_bytes(document: object) -> bytes:
    """A document as it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def given(values: Mapping[str, Any]) -> dict[str, str | Sequence[str]]:
    """The values that are not None, as text, or lists of it."""
    return {
        name: value if isinstance(value, list | tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }


def path_of(identifier: str) -> str:
    """An id as it stands in a path, its slashes between segments."""
    return quote(identifier, safe="/")


def json_object(response: httpx.Response) -> Mapping[str, Any]:
    """The object that an answer is. Raises ValueError or TypeError where it is none."""
    document = response.json()
    if not isinstance(document, dict):
        raise TypeError("not an object")
    return document


def page_of(response: httpx.Response) -> Page:
    """One page of a list."""
    document = json_object(response)
    return Page(items=tuple(document["items"]), next=document.get("next"))
