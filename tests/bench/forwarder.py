"""The forwarder one writes in an afternoon: FastAPI in, httpx out, no checks and no records.

`uvicorn tests.bench.forwarder:app`, with the upstream's base address in BENCH_UPSTREAM.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI, Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOT_FORWARDED = {"host", "connection", "content-length", "transfer-encoding"}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold one pool of connections to the upstream."""
    limits = httpx.Limits(max_connections=128, max_keepalive_connections=128)
    async with httpx.AsyncClient(base_url=os.environ["BENCH_UPSTREAM"], limits=limits) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def forward(path: str, request: Request) -> Response:
    """Send the request on and its answer back."""
    headers = [(name, value) for name, value in request.headers.items() if name not in NOT_FORWARDED]
    client: httpx.AsyncClient = request.app.state.client
    answer = await client.request(request.method, f"/{path}", headers=headers, content=await request.body())
    passed = {name: value for name, value in answer.headers.items() if name not in NOT_FORWARDED}
    return Response(answer.content, answer.status_code, passed)
