"""Addresses whose requests go straight to their endpoint, because they are called most.

FastAPI asks one route after the other, twice, resolves dependencies, validates, and passes each request
through a dozen layers: most of the time of a request that is answered from memory. Here it has what our own
layers do for all others (`rest.create_rest_app`), in the same order and in one, and then its endpoint. The
route is FastAPI's as well: it is in the OpenAPI document, and other methods are refused as everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request

from lienthong.kit.body_room import BodyRoom, share_for
from lienthong.kit.failures import failure_response, unexpected_response
from lienthong.kit.request_text import check_text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TypeAlias

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    Handle: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """A route whose endpoint is given the request as it is, and the parameters in its path as text.

    What else the endpoint declares is documented and not read; dependencies are not asked, but by a
    `StrictRoute` that is one of these too. It answers with a response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        endpoint: Callable[..., Coroutine[Any, Any, Response]] = self.endpoint

        async def called(request: Request) -> Response:
            return await endpoint(request, **request.path_params)

        return called


class DirectApp(FastAPI):
    """An application that has requests of `DirectRoute`s answered before FastAPI looks at them."""

    def __init__(self, *, bodies: BodyRoom, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(**options)
        self._bodies = bodies
        self._direct: list[tuple[DirectRoute, Handle]] = []

    def include_router(self, router: APIRouter, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        """Include a router; its routes that are direct are so from now on."""
        super().include_router(router, **options)
        self._direct += [
            (route, route.get_route_handler()) for route in router.routes if isinstance(route, DirectRoute)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            for route, handle in self._direct:
                found = route.path_regex.match(scope["path"])
                if found is not None and scope["method"] in (route.methods or ()):
                    scope["app"], scope["route"], scope["path_params"] = self, route, found.groupdict()
                    share = share_for(scope, self._bodies)
                    try:
                        response = await _answer(handle, Request(scope, receive))
                        await response(scope, receive, send)
                    finally:
                        share.give_back()
                    return
        await super().__call__(scope, receive, send)


async def _answer(handle: Handle, request: Request) -> Response:
    try:
        check_text(request.scope)
        return await handle(request)
    except Exception as error:  # noqa: BLE001 - answered too
        try:
            return failure_response(request, error)
        except Exception:  # noqa: BLE001 - the same one
            return unexpected_response(request.scope)
