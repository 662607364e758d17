"""Via names this installation in what it forwards, and a request that names it already is a loop."""

from __future__ import annotations

import pytest

from lienthong.gateway.request_headers import read_headers
from lienthong.gateway.via import Via
from lienthong.kit.problems import ProblemError

VIA = Via("VN-BTN")


def check(*values: bytes) -> None:
    VIA.check(read_headers([(b"via", value) for value in values], max_bytes=10_000, max_count=10))


def test_the_line_says_how_the_request_came_and_who_forwards_it() -> None:
    assert VIA.fields(before_1_1=False) == [b"\r\nvia: ", b"1.1 lgsp-VN-BTN"]
    assert VIA.fields(before_1_1=True) == [b"\r\nvia: ", b"1.0 lgsp-VN-BTN"]


@pytest.mark.parametrize(
    "values",
    [
        (),
        (b"1.1 proxy.example",),
        (b"1.1 lgsp-VN-HN, 2 edge",),
        (b"1.1 lgsp-VN-BTN-2",),
        (b"1.1 x-lgsp-VN-BTN",),
        (b"lgsp-VN-BTN",),
        (b"1.1 a (lgsp-VN-BTN)",),
        (b"",),
    ],
)
def test_other_proxies_on_the_way_are_no_loop(values: tuple[bytes, ...]) -> None:
    check(*values)


@pytest.mark.parametrize(
    "values",
    [
        (b"1.1 lgsp-VN-BTN",),
        (b"1.0 LGSP-vn-btn",),
        (b"HTTP/1.1 lgsp-VN-BTN",),
        (b"1.1 proxy.example,2  lgsp-VN-BTN (gateway), 1.1 another",),
        (b"1.1 proxy.example", b"1.1 lgsp-VN-BTN"),
        (b"\t1.1\tlgsp-VN-BTN\t",),
    ],
)
def test_a_request_that_was_forwarded_here_before_is_refused(values: tuple[bytes, ...]) -> None:
    with pytest.raises(ProblemError) as raised:
        check(*values)
    assert (raised.value.code, raised.value.status) == ("loop-detected", 508)
