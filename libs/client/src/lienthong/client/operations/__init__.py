"""The operations of the bus as values: what to send, and how to read the answer. No I/O happens here."""

from lienthong.client.operations.audit import audit_file, entries, person_hashes, receipt, usage
from lienthong.client.operations.calls import answer, body, call, request
from lienthong.client.operations.catalog import (
    FILTERS,
    KINDS,
    LARGEST_PAGE,
    agreement_history,
    amend_agreement,
    apply,
    decide_agreement,
    manifest,
    manifests,
    notices,
    quality,
    request_agreement,
    search,
    set_system_state,
)
from lienthong.client.operations.exchange import (
    ack,
    ack_tokens,
    publish,
    pull,
    subscribe,
    subscriptions,
    unsubscribe,
)
from lienthong.client.operations.operation import Operation
from lienthong.client.operations.platform import agreement_use, gateway_health, metadata

__all__ = [
    "FILTERS",
    "KINDS",
    "LARGEST_PAGE",
    "Operation",
    "ack",
    "ack_tokens",
    "agreement_history",
    "agreement_use",
    "amend_agreement",
    "answer",
    "apply",
    "audit_file",
    "body",
    "call",
    "decide_agreement",
    "entries",
    "gateway_health",
    "manifest",
    "manifests",
    "metadata",
    "notices",
    "person_hashes",
    "publish",
    "pull",
    "quality",
    "receipt",
    "request",
    "request_agreement",
    "search",
    "set_system_state",
    "subscribe",
    "subscriptions",
    "unsubscribe",
    "usage",
]
