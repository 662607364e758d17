"""Codes and identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.domain.identifiers import (
    ProvidedId,
    SystemId,
    agency_code,
    agreement_id,
    is_tax_code,
    requested_agreement_id,
    system_code,
    versioned_code,
)
from lienthong.catalog.errors import InvalidValueError

_digits = st.sampled_from("0123456789")
_first = st.from_regex(r"[A-Z][0-9]{2}", fullmatch=True)
_two = st.text(_digits, min_size=2, max_size=2)
_three = st.text(_digits, min_size=3, max_size=3)
_codes = st.from_regex(r"[A-Z][0-9]{2}(\.[0-9A-Z]{1,5}){0,4}", fullmatch=True)
_systems = st.from_regex(r"[a-z][a-z0-9-]{1,62}", fullmatch=True)
_offers = st.from_regex(r"[a-z][a-z0-9-]{0,40}-v[1-9][0-9]{0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("H11", "H11"),
        ("H11.05", "H11.05"),
        ("H01.151.01", "H01.151.01"),
        ("000.00.00.H49", "H49"),
        ("000.00.15.H49", "H49.15"),
        ("000.07.15.H49", "H49.15.07"),
        ("032.25.48.H11", "H11.48.25.032"),
        ("3400123456", "3400123456"),
        ("3400123456-001", "3400123456-001"),
    ],
)
def test_both_forms_of_an_agency_code_become_one(written: str, canonical: str) -> None:
    assert agency_code(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "h11.05",
        "H1",
        "H11.",
        "H11..05",
        "H11.05\n",
        " H11",
        "H11.05/land",
        "00.00.00.H49",
        "340012345",
        "3400123456-01",
        "٣400123456",
        "H11." + "1" * 40,
    ],
)
def test_what_is_no_agency_code_is_refused_in_both_languages(written: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        agency_code(written)
    assert "H11.05" in refused.value.text.en
    assert "mã cơ quan" in refused.value.text.vi


def test_an_old_form_that_would_name_another_agency_is_refused() -> None:
    assert agency_code("000.00.15.H49") == "H49.15"
    with pytest.raises(InvalidValueError, match="third level"):
        agency_code("000.15.00.H49")


@given(_codes)
def test_a_canonical_code_stays_as_it_is(code: str) -> None:
    assert agency_code(code) == code


@given(_first, _two, _two, _three)
def test_an_old_form_gives_a_canonical_code(first: str, second: str, third: str, fourth: str) -> None:
    try:
        code = agency_code(f"{fourth}.{third}.{second}.{first}")
    except InvalidValueError:
        assert second == "00"
        assert third != "00"
        return
    assert agency_code(code) == code
    assert code.split(".")[0] == first


@given(*(st.tuples(_first, _two, _two, _three) for _ in range(2)))
def test_two_old_forms_never_become_one_code(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    def canonical(groups: tuple[str, str, str, str]) -> str | None:
        try:
            return agency_code(".".join(reversed(groups)))
        except InvalidValueError:
            return None

    if one != other and canonical(one) is not None:
        assert canonical(one) != canonical(other)


@given(_codes, _systems, _offers)
def test_identifiers_read_back_what_they_write(agency: str, system: str, offer: str) -> None:
    identity = ProvidedId.parse(f"{agency}/{system}/{offer}")
    assert ProvidedId.parse(str(identity)) == identity
    assert identity.system == SystemId.parse(f"{agency}/{system}")


@given(st.text(max_size=40))
def test_any_text_is_either_canonicalised_for_good_or_refused(text: str) -> None:
    for check in (agency_code, system_code, versioned_code, agreement_id):
        try:
            canonical = check(text)
        except InvalidValueError:
            continue
        assert check(canonical) == canonical


def test_a_system_id_in_the_old_form_names_the_same_system() -> None:
    assert str(SystemId.parse("000.00.05.H11/land")) == "H11.05/land"
    assert str(ProvidedId.parse("000.00.05.H11/land/parcels-v1")) == "H11.05/land/parcels-v1"


@pytest.mark.parametrize(
    "text", ["land", "H11.05", "H11.05/", "/land", "H11.05/l", "H11.05/Land", "H11.05/a/b"]
)
def test_what_is_no_system_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        SystemId.parse(text)


@pytest.mark.parametrize("code", ["parcels", "parcels-v0", "parcels-v01", "-v1", "Parcels-v1", "parcels-v1x"])
def test_a_service_code_ends_in_its_major_version(code: str) -> None:
    with pytest.raises(InvalidValueError):
        versioned_code(code)


def test_tax_codes_are_known_from_agency_codes() -> None:
    assert is_tax_code("3400123456-001")
    assert not is_tax_code("H11.05")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("one-stop-parcels", "one-stop-parcels"),
        ("H11.01.one-stop.parcels", "H11.01.one-stop.parcels"),
        ("000.00.01.H11.one-stop.parcels", "H11.01.one-stop.parcels"),
        ("H11.one-stop.parcels", "H11.one-stop.parcels"),
        ("3400123456.customer-app.parcels", "3400123456.customer-app.parcels"),
    ],
)
def test_an_agreement_has_a_plain_name_or_that_of_its_system(text: str, canonical: str) -> None:
    assert agreement_id(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "ab",
        "one.stop",
        "H11.01.parcels",
        "one-stop.parcels",
        "H11.01.one-stop.",
        "H11.01..parcels",
        "H11.01.a.b.c",
    ],
)
def test_other_names_of_agreements_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        agreement_id(text)


def test_a_system_names_its_agreements_in_its_own_name_space() -> None:
    for text in ("parcels", "H11.01.one-stop.parcels", "000.00.01.H11.one-stop.parcels"):
        assert requested_agreement_id("H11.01/one-stop", text) == "H11.01.one-stop.parcels"
    for text in ("H11.01.one-stop-2.parcels", "H11.one-stop.parcels", "H11.01.one.stop.parcels"):
        with pytest.raises(InvalidValueError):
            requested_agreement_id("H11.01/one-stop", text)
