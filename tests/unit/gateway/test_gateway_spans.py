"""Traces of calls: below the caller's span, above the provider's, without paths or persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from lienthong.gateway.call import Abandoned, Answered, Call
from lienthong.gateway.context import CallContext
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.spans import Spans

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


def call(clock: ManualClock) -> Call:
    return Call("tx-1", clock.now(), "GET", b"/api/secret-079", b"?who=nguyen", "10.0.0.1")


def test_a_span_stands_between_the_callers_and_the_providers(
    spans: Spans, exporter: InMemorySpanExporter, clock: ManualClock
) -> None:
    one = call(clock)
    span = spans.begin(one, f"00-{TRACE}-{PARENT}-01")
    one.operation, one.client = OperationRoute("getX", "GET", "/x"), "C/c"
    one.context = CallContext(user="079090000001")
    spans.end(one, span, Answered(200, clock.now(), 0, ""))
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
        one = call(clock)
        span = spans.begin(one, None)
        answered = Answered(status, clock.now(), 0, "", error) if status is not None else None
        spans.end(one, span, answered or Abandoned(clock.now()))
    codes = [span.status.status_code for span in exporter.get_finished_spans()]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET, StatusCode.UNSET, StatusCode.UNSET]
