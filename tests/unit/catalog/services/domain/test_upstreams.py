"""Base addresses of providers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.upstreams import address_violations, upstream
from lienthong.kit.addresses import ProviderAddresses, allowed_networks


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("http://10.0.0.5:8201", "http://10.0.0.5:8201"),
        ("HTTPS://Land.Example.VN/api/", "https://land.example.vn/api"),
        ("http://land", "http://land"),
        ("http://land_api.internal/", "http://land_api.internal"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_has_one_canonical_form(written: str, canonical: str) -> None:
    assert upstream(written) == canonical
    assert upstream(canonical) == canonical


@pytest.mark.parametrize(
    "address",
    [
        "",
        "land",
        "land:8080",
        "//land",
        "ftp://land",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://user@land",
        "http://user:secret@land",
        "http://@land",
        "http://land?x=1",
        "http://land?",
        "http://land/#top",
        "http://land#",
        "http://land:0",
        "http://land:99999",
        "http://land:port",
        "http://land/a//b",
        "http://land/../x",
        "http://land/./x",
        "http://land/%2e%2e",
        "http://land/a b",
        "http://la nd",
        "http://land\\@evil",
        "http://land\n",
        "http://-land",
        "http://land..vn",
        "http://[::1",
        "http://[nonsense]",
        "http://đất.vn",
        "http://2130706433",
        "http://0x7f000001",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://127.1",
        "http://127.0.0.1.",
        "http://127.0.0.01",
        "http://256.1.1.1",
        "http://10.0.0.5.6",
        "http://0",
        "http://land.0x",
        "http://[fe80::1%25eth0]",
        "http://[fe80::1%eth0]",
        "http://land/" + "a" * 600,
    ],
)
def test_an_address_that_is_more_or_less_than_a_base_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        upstream(address)
    assert "secret" not in refused.value.text.en


@given(st.text(max_size=60) | st.from_regex(r"https?://[\x21-\x7e]{0,30}", fullmatch=True))
def test_any_text_is_canonicalised_for_good_or_refused(text: str) -> None:
    try:
        canonical = upstream(text)
    except InvalidValueError:
        return
    assert upstream(canonical) == canonical
    assert canonical.startswith(("http://", "https://"))
    assert not {"@", "?", "#"} & set(canonical.split("/")[2])


def test_addresses_that_lead_inside_are_named_by_their_place() -> None:
    rules = ProviderAddresses(
        allowed_networks("127.0.0.0/8"), frozenset({8101}), frozenset({("catalog", 80)})
    )
    texts = [
        "http://10.0.0.5:8201",
        "http://169.254.169.254",
        "https://land.example.vn/api",
        "http://127.0.0.1:8101",
        "http://127.0.0.1:9000",
        "http://catalog",
        "http://[::1]:8201",
        "http://[::ffff:169.254.169.254]",
    ]
    found = {
        violation.path[0]: violation.text.en
        for violation in address_violations([upstream(text) for text in texts], rules)
    }
    assert list(found) == [1, 3, 5, 6, 7]
    assert found[1].startswith("leads to an address by which clouds hand out credentials, where no call goes")
    assert found[3].startswith("leads to a port of the platform itself")
