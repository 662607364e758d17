"""Which content coding an answer gets, by RFC 9110 §12.5.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.ledger.domain.content_coding import choose_coding


@pytest.mark.parametrize(
    ("accept_encoding", "chosen"),
    [
        # Section 12.5.3's own examples.
        ("compress, gzip", "gzip"),
        ("", "identity"),
        ("*", "gzip"),
        ("compress;q=0.5, gzip;q=1.0", "gzip"),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"),
        # A quality of 0 means "not acceptable".
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000", "identity"),
        ("gzip; q=0 , br", "identity"),
        ("*;q=0, gzip", "gzip"),
        ("*, gzip;q=0", "identity"),
        ("identity;q=0", None),
        ("gzip;q=0, identity;q=0", None),
        ("*;q=0", None),
        ("br, *;q=0", None),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity, *;q=0", "identity"),
        # Quality values decide, then the server's preference.
        ("gzip;q=0.5, identity", "identity"),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("identity;q=0.5, *;q=0.1", "identity"),
        # Names are case-insensitive; x-gzip is gzip (section 8.4.1.3).
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("X-GZip;Q=0, *", "identity"),
        # Other codings, and names that only contain gzip.
        ("br, zstd, deflate", "identity"),
        ("gzipped", "identity"),
        ("notgzip;q=1", "identity"),
        # What does not follow the grammar is ignored.
        ("gzip;q=2", "identity"),
        ("gzip;q=-1", "identity"),
        ("gzip;q=0.0001", "identity"),
        ("gzip;level=9", "identity"),
        ("gz ip", "identity"),
        (", ,gzip,", "gzip"),
        (None, "identity"),
    ],
)
def test_the_coding_is_the_one_that_the_caller_prefers(
    accept_encoding: str | None, chosen: str | None
) -> None:
    assert choose_coding(accept_encoding, ["gzip", "identity"]) == chosen


def test_the_servers_preference_decides_between_codings_that_are_equal_to_the_caller() -> None:
    assert choose_coding("gzip, identity", ["identity", "gzip"]) == "identity"
    assert choose_coding("*", ["identity", "gzip"]) == "identity"
    assert choose_coding("identity;q=0, *", ["identity", "gzip"]) == "gzip"


@given(st.one_of(st.text(), st.text(alphabet="gzipdenty*;q=01., \t")))
def test_any_header_has_an_answer_and_never_what_was_excluded(header: str) -> None:
    assert choose_coding(header, ["gzip", "identity"]) in {"gzip", "identity", None}
    assert choose_coding("gzip;q=0," + header, ["gzip", "identity"]) != "gzip"
    assert choose_coding("identity;q=0," + header, ["gzip", "identity"]) != "identity"
