"""What documents cost on the way of a call, by processor time: `python -m tests.bench.documents`.

Envelopes of SOAP are read as the gateway reads them. The answer of 20 KiB that `make bench-targets` shortens
is shortened here without a gateway around it, as the first of its kind and as one like those before (0061).
The least of the rounds counts: what else the machine does only adds to it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lienthong.gateway.shaping.shape import shaped
from lienthong.gateway.shaping.shapes import LOOKED_AT_FROM, Shape
from lienthong.gateway.soap.envelope import Envelope
from lienthong.kit.field_paths import tree
from tests.bench import peers
from tests.bench.agreed import FIELDS
from tests.bench.machine import machine_line

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS: Final = 200
_BETWEEN: Final = 65_536
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    '<s:Body><l:Register xmlns:l="urn:binh-thuan:land">{}</l:Register></s:Body></s:Envelope>'
)
_ORDINARY: Final = (
    '<l:parcel id="{}"><l:owner>Nguyễn Thị Bình</l:owner><l:areaM2>125.5</l:areaM2>'
    "<l:address>Số 12, phường Phú Thuỷ, thành phố Phan Thiết</l:address></l:parcel>"
)


def read_envelope(document: bytes) -> None:
    """Read an envelope as the stage that matches does."""
    envelope = Envelope()
    envelope.feed(document)
    envelope.finish()
    envelope.close()


def ordinary(size: int) -> bytes:
    """An envelope of about so many bytes, of elements with text."""
    parcels: list[str] = []
    while sum(len(one.encode()) for one in parcels) < size:
        parcels.append(_ORDINARY.format(len(parcels)))
    return _ENVELOPE.format("".join(parcels)).encode()


def spent(work: Callable[[], object]) -> float:
    """Processor time of this thread, in microseconds."""
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best * 1_000_000


def main() -> None:
    """Measure and print."""
    ten = ordinary(10_000)
    empty = _ENVELOPE.format("<a/>" * (_BETWEEN // 4)).encode()
    answer, agreed = peers.LARGE_BODY.encode(), tree(FIELDS)
    shape = Shape(agreed)
    for _ in range(LOOKED_AT_FROM):
        shape.shaped(answer)
    print(machine_line())
    for name, size, work in (
        ("an envelope of SOAP, ordinary", len(ten), lambda: read_envelope(ten)),
        ("an envelope of nothing but empty elements", len(empty), lambda: read_envelope(empty)),
        ("an answer shortened to agreed fields", len(answer), lambda: shaped(answer, agreed)),
        ("the same, like those before", len(answer), lambda: shape.shaped(answer)),
    ):
        print(f"{name}: {size:,} bytes, {spent(work):,.0f} µs")


if __name__ == "__main__":
    main()
