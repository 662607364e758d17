"""Words are found as they are typed: with marks, without, and however a text has them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.search.domain.words import LONGEST_WORD, parts, words
from lienthong.catalog.search.domain.words import plain as plain_text

SYLLABLES = "duong Đường đất ĐẤT nguyễn hoà thuỷ ẩn ỗ ẵ quyền"


def plain(text: str) -> list[str]:
    """The words of a text without marks."""
    return [word.plain for word in words(text)]


def marked(text: str) -> str:
    """The one word of a text, with marks."""
    [word] = words(text)
    return word.marked


def test_marks_and_capitals_make_no_difference() -> None:
    assert plain("Tra cứu THỬA ĐẤT, đường Nguyễn Huệ") == [
        "tra", "cuu", "thua", "dat", "duong", "nguyen", "hue",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_the_form_of_unicode_makes_no_difference(form: str) -> None:
    text = unicodedata.normalize(form, SYLLABLES)  # type: ignore[arg-type]
    assert [(word.plain, word.marked) for word in words(text)] == [
        (word.plain, word.marked) for word in words(SYLLABLES)
    ]


def test_a_capital_of_another_language_that_looks_the_same_is_the_same() -> None:
    assert marked("\u00d0ường") == marked("Đường")


@pytest.mark.parametrize(("one", "other"), [("hoà", "hòa"), ("thuý", "thúy"), ("THOẢ", "thỏa")])
def test_a_tone_is_the_same_on_either_vowel(one: str, other: str) -> None:
    assert marked(one) == marked(other) != ""


@pytest.mark.parametrize(("one", "other"), [("đường", "dường"), ("ban", "bàn"), ("bán", "bàn"), ("o", "ơ")])
def test_other_marks_are_other_words(one: str, other: str) -> None:
    assert marked(one) != marked(other)


@pytest.mark.parametrize("whole", ["đường", "nguyễn", "thuỷ"])
def test_the_beginning_of_a_word_with_its_tone_is_its_beginning(whole: str) -> None:
    letters = unicodedata.normalize("NFC", whole)
    toned = next(place for place, letter in enumerate(letters, 1) if marked(letter)[:1] == marked(whole)[:1])
    for length in range(toned, len(letters) + 1):
        assert marked(whole).startswith(marked(letters[:length]))


def test_words_say_where_they_stand() -> None:
    text = "Cấp «Giấy phép» xây dựng_v2"
    assert [text[word.start : word.end] for word in words(text)] == [
        "Cấp", "Giấy", "phép", "xây", "dựng", "v2",
    ]  # fmt: skip


def test_names_in_code_are_taken_apart() -> None:
    assert list(parts("getParcelById listHTTPRoutes2 parcels")) == [
        "get", "parcel", "by", "id", "list", "http", "routes", "2",
    ]  # fmt: skip


@given(st.text())
def test_any_text_has_words_of_letters_and_digits_in_their_order(text: str) -> None:
    end = 0
    for word in words(text):
        assert end <= word.start < word.end <= len(text)
        assert word.plain
        assert word.plain.isalnum()
        assert len(word.plain) <= LONGEST_WORD
        end = word.end


@given(st.text(alphabet=st.characters(categories=["Mn", "Ll", "Lu", "Nd"])))
def test_words_can_be_terms_of_either_database(text: str) -> None:
    for word in words(text):
        assert not set(word.plain + word.marked) & set(" '\"\\*:&|!()<>\0")


def test_many_marks_on_one_letter_take_no_longer_than_as_many_letters() -> None:
    [word] = words("a" + "\u0323\u0302" * 200_000)
    assert word.plain == "a"
    assert len(word.marked) <= 1 + 2 * LONGEST_WORD


@given(st.text())
def test_a_text_without_marks_is_as_long(text: str) -> None:
    assert len(plain_text(text)) == len(text)


def test_a_text_without_marks_has_the_words_without_marks() -> None:
    assert plain_text("Tra cứu THỬA ĐẤT, Ð") == "tra cuu thua dat, d"
