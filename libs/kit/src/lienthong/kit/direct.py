"""Addresses whose requests go straight to their endpoint, because they are called most.

FastAPI asks one route after the other, twice, resolves dependencies, validates, and passes each request
through a dozen layers: most of the time of a request that is answered from memory. Here it passes our own
layers, the same ones in the same order, and then its endpoint. FastAPI knows the route as well: it is in the
OpenAPI document, and other methods are refused as everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request

from lienthong.kit.body_room import BodyRoom, BoundedBodies
from lienthong.kit.failures import TextOnly, Unexpected, failure_response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

_HANDLE = "lienthong.handle"


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
        self._direct: list[tuple[DirectRoute, Callable[[Request], Coroutine[Any, Any, Response]]]] = []
        self._layers: ASGIApp = BoundedBodies(TextOnly(Unexpected(_answer)), room=bodies)

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
                    scope["app"], scope["route"], scope[_HANDLE] = self, route, handle
                    scope["path_params"] = found.groupdict()
                    await self._layers(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    try:
        response = await scope[_HANDLE](request)
    except Exception as error:  # noqa: BLE001 - raised again where it is not expected
        response = failure_response(request, error)
    await response(scope, receive, send)
