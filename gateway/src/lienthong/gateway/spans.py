"""OpenTelemetry spans of calls, where an endpoint is configured. They contain neither paths nor persons."""

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

from lienthong.gateway.call import Abandoned, Answered

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from lienthong.gateway.call import Call, Outcome

_FIRST_SERVER_ERROR = 500


class Spans:
    """Begins and ends one span for each call, a child of the caller's span."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, call: Call, parent: str | None) -> Span:
        """Begin the span of a call below the caller's traceparent; the provider gets it as its parent."""
        span = self._tracer.start_span(
            call.method, context=_context(parent) if parent is not None else None, kind=SpanKind.SERVER
        )
        found = span.get_span_context()
        call.trace = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
        return span

    def end(self, call: Call, span: Span, outcome: Outcome | None) -> None:
        """End the span; `outcome` is None when the gateway was stopped before the call ended."""
        if call.operation is not None:
            span.update_name(f"{call.method} {call.operation.id}")
        attributes: dict[str, AttributeValue | None] = {
            "http.request.method": call.method,
            "lgsp.transaction_id": call.tx,
            "lgsp.client": call.client,
            "lgsp.service": call.service_id,
            "lgsp.agreement": call.grant.agreement if call.grant is not None else None,
        }
        if isinstance(outcome, Answered):
            attributes |= {
                "http.response.status_code": outcome.status,
                "error.type": outcome.error,
                "lgsp.aborted": outcome.broken_off or None,
            }
            if outcome.error is not None and outcome.status >= _FIRST_SERVER_ERROR:
                span.set_status(Status(StatusCode.ERROR, outcome.error))
        elif isinstance(outcome, Abandoned):
            attributes["lgsp.aborted"] = True
        span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        span.end()


def _context(traceparent: str) -> Context:
    _, trace_id, span_id, flags = traceparent.split("-")
    remote = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return set_span_in_context(NonRecordingSpan(remote))
