"""OpenTelemetry spans of calls, where an endpoint is configured. They hold neither paths nor persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from lienthong.gateway.call import Call

_FIRST_SERVER_ERROR = 500


class Spans:
    """Begins and ends one span for each call, as a child of the caller's."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, call: Call) -> Span:
        """Begin the span of a call whose headers were read; the provider gets it as its parent."""
        parent = call.inbound.traceparent if call.inbound is not None else None
        span = self._tracer.start_span(
            call.method, context=_context(parent) if parent is not None else None, kind=SpanKind.SERVER
        )
        found = span.get_span_context()
        call.trace = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
        return span

    def end(self, call: Call, span: Span) -> None:
        """End it, with what is known by now."""
        if call.operation is not None:
            span.update_name(f"{call.method} {call.operation.id}")
        attributes = {
            "http.request.method": call.method,
            "http.response.status_code": call.status,
            "error.type": call.error,
            "lgsp.transaction_id": call.tx,
            "lgsp.client": call.client,
            "lgsp.service": call.service_name,
            "lgsp.agreement": call.agreement,
            "lgsp.aborted": call.aborted or None,
        }
        span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        if call.error is not None and (call.status is None or call.status >= _FIRST_SERVER_ERROR):
            span.set_status(Status(StatusCode.ERROR, call.error))
        span.end()


def _context(traceparent: str) -> Context:
    _, trace_id, span_id, flags = traceparent.split("-")
    remote = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return set_span_in_context(NonRecordingSpan(remote))
