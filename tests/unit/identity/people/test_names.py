"""Logins and names: one form, nothing that looks like another one, and bounded before anything is read."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.identity.people.domain.names import (
    LONGEST_LOGIN,
    LONGEST_NAME,
    UnusableNameError,
    login_of,
    name_of,
)

GOOD_LOGINS = {
    "plain": ("an.nguyen@example.gov.vn", "an.nguyen@example.gov.vn"),
    "capitals": ("An.Nguyen@Example.GOV.vn", "an.nguyen@example.gov.vn"),
    "blanks around": ("  an@example.vn ", "an@example.vn"),
    "plus": ("an+lgsp@example.vn", "an+lgsp@example.vn"),
    "a domain in punycode stays in it": ("an@xn--bcher-kva.vn", "an@xn--bcher-kva.vn"),
}

BAD_LOGINS = {
    "empty": "",
    "blank": "   ",
    "no at": "an.example.vn",
    "two at": "an@b@example.vn",
    "no domain": "an@",
    "no local part": "@example.vn",
    "a domain of one label": "an@localhost",
    "Cyrillic a": "аn@example.vn",
    "Greek omicron in the domain": "an@exοmple.vn",
    "full-width letters": "ａｎ@example.vn",
    "full-width at": "an＠example.vn",
    "a letter with a mark": "ân@example.vn",
    "a domain in Unicode": "an@bücher.vn",
    "zero-width space": "a\u200bn@example.vn",
    "soft hyphen": "a\u00adn@example.vn",
    "right-to-left override": "\u202ean@example.vn",
    "Kelvin sign": "\u212a@example.vn",
    "dotless i": "ı@example.vn",
    "half of a surrogate pair": "\ud800@example.vn",
    "NUL": "a\0n@example.vn",
    "line break": "an@example.vn\nbcc: x@example.vn",
    "a quoted local part": '"a b"@example.vn',
    "a name before": "An <an@example.vn>",
    "an address literal": "an@[127.0.0.1]",
    "a comment": "an(x)@example.vn",
    "dots together": "a..n@example.vn",
    "a dot at the end": "an.@example.vn",
    "a local part of 65": f"{'a' * 65}@example.vn",
    "a label of 64": f"an@{'a' * 64}.vn",
    "too long": f"{'a' * LONGEST_LOGIN}@example.vn",
    "a million characters": "a" * 1_000_000,
    "a slash": "h11.05/land",
    "bad punycode": "an@xn--\x7f.vn",
}

GOOD_NAMES = {
    "a Vietnamese name": ("Nguyễn Thị Bình", "Nguyễn Thị Bình"),
    "marks apart": (unicodedata.normalize("NFD", "Đặng Thuỳ Trâm"), "Đặng Thuỳ Trâm"),
    "blanks within": ("  Lê   Văn\u00a0An ", "Lê Văn An"),
    "an apostrophe": ("H'Hen Niê", "H'Hen Niê"),
    "a hyphen and a dot": ("K-Brêh B. Krông", "K-Brêh B. Krông"),
    "a number": ("Trực ban 2", "Trực ban 2"),
    "a ligature": ("ﬁnh", "finh"),
    "full-width letters": ("Ａn", "An"),
}

BAD_NAMES = {
    "empty": "",
    "blank": "   ",
    "Cyrillic e": "Nguyеn",
    "Greek Alpha": "Αn",
    "an emoji": "An 😀",
    "a tag": "<b>An</b>",
    "a quote": 'An "x"',
    "control character": "An\x07",
    "line break": "An\nBình",
    "right-to-left override": "An\u202enihB",
    "zero-width joiner": "A\u200dn",
    "byte order mark": "\ufeffAn",
    "half of a surrogate pair": "An\ud800",
    "private use": "An\ue000",
    "a lone combining mark": "An \u0301\u0301\u0301",
    "one that stacks marks": "A" + "\u0328\u0489" * 3,
    "CJK": "阮文安",
    "fraction": "An ½",
    "too long": "a" * (LONGEST_NAME + 1),
    "a million characters": "ế" * 1_000_000,
}


@pytest.mark.parametrize(("given_text", "canonical"), GOOD_LOGINS.values(), ids=GOOD_LOGINS)
def test_a_login_has_one_form(given_text: str, canonical: str) -> None:
    assert login_of(given_text) == canonical
    assert login_of(canonical) == canonical


@pytest.mark.parametrize("given_text", BAD_LOGINS.values(), ids=BAD_LOGINS)
def test_what_is_no_login_is_refused_in_both_languages(given_text: str) -> None:
    with pytest.raises(UnusableNameError) as refused:
        login_of(given_text)
    assert refused.value.text.en
    assert refused.value.text.vi
    assert len(refused.value.text.en) < 200, "it does not repeat what was typed"


@pytest.mark.parametrize(("given_text", "canonical"), GOOD_NAMES.values(), ids=GOOD_NAMES)
def test_a_name_has_one_form(given_text: str, canonical: str) -> None:
    assert name_of(given_text) == canonical
    assert name_of(canonical) == canonical


@pytest.mark.parametrize("given_text", BAD_NAMES.values(), ids=BAD_NAMES)
def test_what_is_no_name_is_refused_in_both_languages(given_text: str) -> None:
    with pytest.raises(UnusableNameError) as refused:
        name_of(given_text)
    assert refused.value.text.en
    assert refused.value.text.vi


@given(st.text(max_size=40))
def test_whatever_is_taken_is_in_its_own_form(text: str) -> None:
    for canonical in (login_of, name_of):
        try:
            found = canonical(text)
        except UnusableNameError:
            continue
        assert canonical(found) == found
        assert unicodedata.is_normalized("NFC", found)
