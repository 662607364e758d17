"""Traces of calls: below the caller's span, above the provider's, without paths or persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from lienthong.gateway.call import Call
from lienthong.gateway.headers import read_headers
from lienthong.gateway.spans import Spans
from lienthong.gateway.templates import Operation

if TYPE_CHECKING:
    from lienthong.kit.clock import ManualClock

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Spans:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(provider.get_tracer("test"))


def call(clock: ManualClock, traceparent: bytes | None) -> Call:
    made = Call("tx-1", clock.now(), "GET", b"/api/secret-079", b"who=nguyen", "10.0.0.1")
    headers = [(b"traceparent", traceparent)] if traceparent else []
    made.inbound = read_headers(headers, max_bytes=1000, max_count=10)
    return made


def test_a_span_stands_between_the_callers_and_the_providers(
    spans: Spans, exporter: InMemorySpanExporter, clock: ManualClock
) -> None:
    one = call(clock, f"00-{TRACE}-{PARENT}-01".encode())
    span = spans.begin(one)
    one.operation, one.client, one.status, one.user = (
        Operation("getX", "GET", "/x"),
        "C/c",
        200,
        "079090000001",
    )
    spans.end(one, span)
    (finished,) = exporter.get_finished_spans()
    assert finished.name == "GET getX"
    assert finished.context is not None
    assert finished.parent is not None
    assert f"{finished.context.trace_id:032x}" == TRACE
    assert f"{finished.parent.span_id:016x}" == PARENT
    assert one.trace == f"00-{TRACE}-{finished.context.span_id:016x}-01"
    attributes = dict(finished.attributes or {})
    assert attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "lgsp.transaction_id": "tx-1",
        "lgsp.client": "C/c",
    }


def test_only_our_failures_are_errors_of_a_span(
    spans: Spans, exporter: InMemorySpanExporter, clock: ManualClock
) -> None:
    for status, error in ((502, "provider-broken"), (403, "no-agreement"), (500, None), (None, None)):
        one = call(clock, None)
        span = spans.begin(one)
        one.status, one.error, one.aborted = status, error, status is None
        spans.end(one, span)
    codes = [span.status.status_code for span in exporter.get_finished_spans()]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET, StatusCode.UNSET, StatusCode.UNSET]
