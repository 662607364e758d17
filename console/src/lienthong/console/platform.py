"""The platform as one person may use it: REST through the gateway, with the person's own token."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import httpx

from lienthong.console.errors import SessionEndedError, platform_away, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST: Final = 8 * 1024 * 1024
"""Bytes of an answer that are read; a page of two hundred manifests has less."""


class Platform:
    """What the gateway of one installation offers."""

    def __init__(self, origin: str, http: httpx.AsyncClient) -> None:
        """`origin` is the gateway's address; `http` follows no redirects."""
        self._origin = origin
        self._http = http

    def as_person(self, access: str) -> Desk:
        """The same for who holds an access token."""
        return Desk(self._http, self._origin, {"Authorization": f"Bearer {access}"})

    @property
    def everyone(self) -> Desk:
        """The same for who shows no token."""
        return Desk(self._http, self._origin, {})


class Desk:
    """Asks the platform for one person. Whoever builds a path quotes what others have written into it."""

    def __init__(self, http: httpx.AsyncClient, origin: str, headers: Mapping[str, str]) -> None:
        self._http = http
        self._origin = origin
        self._headers = dict(headers)

    async def get(self, path: str, **query: str | int) -> Mapping[str, Any]:
        """Read something; what is empty in `query` is left out.

        Raises:
            ProblemError: what the platform refused it with; 503 `platform-unavailable`.
            SessionEndedError: the person's session has ended meanwhile.
        """
        return await self._ask("GET", path, params={name: value for name, value in query.items() if value})

    async def send(
        self, method: str, path: str, document: object = None, *, stated: int | None = None
    ) -> Mapping[str, Any]:
        """Change something; an answer without content is empty. `stated` is the version that was read.

        Raises:
            ProblemError: what the platform refused it with; 503 `platform-unavailable`.
            SessionEndedError: the person's session has ended meanwhile.
        """
        headers = {} if stated is None else {"If-Match": f'"{stated}"'}
        return await self._ask(method, path, json=document, headers=headers)

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        **sent: Any,  # noqa: ANN401
    ) -> Mapping[str, Any]:
        own = {**self._headers, **(headers or {})}
        try:
            async with self._http.stream(method, f"{self._origin}{path}", headers=own, **sent) as answer:
                content = await _read(answer)
        except httpx.HTTPError as error:
            raise platform_away() from error
        status = answer.status_code
        if status == HTTPStatus.NO_CONTENT:
            return {}
        document = _document(content)
        if status == HTTPStatus.UNAUTHORIZED:
            raise SessionEndedError
        if status >= HTTPStatus.BAD_REQUEST:
            raise refused(status, document, answer.headers.get("Retry-After"))
        if status not in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
            raise platform_away()
        return document


async def _read(answer: httpx.Response) -> bytes:
    """The body of an answer, if it is not larger than any of ours."""
    found = bytearray()
    async for part in answer.aiter_bytes():
        found += part
        if len(found) > _LARGEST:
            raise platform_away()
    return bytes(found)


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise platform_away()
    return found
