"""What the edge writes about a caller is read as it writes it, and nothing that a caller wrote before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.edge import caller_behind
from lienthong.kit.problems import ProblemError

SHA256 = "ab" * 32


def field(value: str) -> tuple[bytes, bytes]:
    return b"x-forwarded-client-cert", value.encode()


def test_the_last_address_is_the_edges_own_word() -> None:
    forged = (b"x-forwarded-for", b"1.2.3.4, 5.6.7.8")
    assert caller_behind([forged, (b"x-forwarded-for", b"9.9.9.9, 203.0.113.7")]) == ("203.0.113.7", None)
    assert caller_behind([(b"x-forwarded-for", b"2001:db8::1")])[0] == "2001:db8::1"
    assert caller_behind([]) == (None, None)


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        (f"Hash={SHA256}", ""),
        (f'Hash={SHA256};Subject="CN=H11.05/land,O=Sở, Đất;đai"', "CN=H11.05/land,O=Sở, Đất;đai"),
        (
            f'Hash={SHA256.upper()};Subject="CN=say \\"yes\\"";URI=spiffe://a,b'.replace(",b", ""),
            'CN=say "yes"',
        ),
        (f'Subject="";Hash={SHA256};', ""),
    ],
)
def test_a_certificate_is_read(written: str, subject: str) -> None:
    _, certificate = caller_behind([field(written)])
    assert certificate is not None
    assert (certificate.sha256, certificate.subject) == (SHA256, subject)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([field(f"Hash={SHA256},Hash={'cd' * 32}")], id="two certificates"),
        pytest.param([field(f'Hash={SHA256};Subject="a",By=b')], id="a second one after quotes"),
        pytest.param([field(f"Hash={SHA256}"), field(f"Hash={SHA256}")], id="two fields"),
        pytest.param([field("Hash=abc")], id="no thumbprint"),
        pytest.param([field('Subject="CN=x"')], id="without a thumbprint"),
        pytest.param([field(f'Hash={SHA256};Subject="open')], id="quotes that stay open"),
        pytest.param([field("nonsense")], id="nothing of it"),
        pytest.param([(b"x-forwarded-for", b"1.2.3.4, unknown")], id="no address"),
        pytest.param([(b"x-forwarded-for", b"10.0.0.1:4711")], id="an address with a port"),
    ],
)
def test_an_edge_that_writes_something_else_is_told_so(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ProblemError, match="edge") as raised:
        caller_behind(fields)
    assert raised.value.code == "malformed-request"


def test_of_several_thumbprints_in_one_certificate_the_first_counts() -> None:
    # Envoy writes the thumbprint before what comes from the certificate itself.
    _, certificate = caller_behind([field(f'Hash={SHA256};Subject="x;Hash={"cd" * 32}"')])
    assert certificate is not None
    assert certificate.sha256 == SHA256


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(value: bytes) -> None:
    try:
        caller_behind([(b"x-forwarded-client-cert", value), (b"x-forwarded-for", value)])
    except ProblemError as problem:
        assert problem.code == "malformed-request"  # noqa: PT017
