"""Passwords: long ones are taken, one letter has one form, and a hash verifies its own password alone."""

from __future__ import annotations

import unicodedata

import pytest

from lienthong.identity.people.domain.passwords import (
    HASHER,
    LONGEST,
    NOBODYS,
    SHORTEST,
    WeakPasswordError,
    canonical,
    new_password,
    outdated,
    verifies,
)

LOGIN, NAME = "an.nguyen@example.gov.vn", "Nguyễn Văn An"
GOOD = "ba con trâu ngoài đồng"
HASHED = HASHER.hash(GOOD)

WEAK = {
    "empty": "",
    "one short of enough": "trâu ngoài đồn"[: SHORTEST - 1],
    "too long": "ab cd ef gh " * 20,
    "far too long": "a" * 1_000_000,
    "one character": "a" * 20,
    "five characters": "abcde" * 5,
    "the login": f"xx {LOGIN} yy",
    "the local part": "my an.nguyen password",
    "the name": "đây là NGUYỄN văn an",
    "the name without diacritics": "day la nguyen van an",
    "the name without diacritics and blanks": "toi-la-NguyenVanAn",
    "the local part with other marks": "my an_nguyen password",
    "a control character": "ba con trâu\x00ngoài đồng",
    "a zero-width space": "ba con trâu\u200bngoài đồng",
    "half of a surrogate pair": "ba con trâu ngoài \ud800",
    "a line break": "ba con trâu\nngoài đồng",
}


@pytest.mark.parametrize("password", WEAK.values(), ids=WEAK)
def test_a_weak_password_is_refused_in_both_languages(password: str) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        new_password(password, login=LOGIN, name=NAME)
    assert refused.value.text.en
    assert refused.value.text.vi


@pytest.mark.parametrize(
    "password",
    [GOOD, "correct horse battery", "密码密码 không ai biết đâu", "ab cd ef gh " * 10, "☃" * 10 + "abcdef"],
)
def test_a_long_password_of_any_letters_is_taken(password: str) -> None:
    assert new_password(password, login=LOGIN, name=NAME) == password


@pytest.mark.parametrize("name", ["Đỗ Đình Đạt", "ĐỖ ĐÌNH ĐẠT", unicodedata.normalize("NFD", "Đỗ Đình Đạt")])
def test_a_d_with_a_stroke_is_a_d(name: str) -> None:
    with pytest.raises(WeakPasswordError):
        new_password("mat khau cua do dinh dat", login=LOGIN, name=name)


@pytest.mark.parametrize(
    "password", ["cái van nước bị rò rỉ", "một hai ba bốn an toàn", "họ nguyễn làng bên"]
)
def test_a_word_of_a_name_may_stand_in_a_sentence(password: str) -> None:
    assert new_password(password, login=LOGIN, name=NAME) == password


def test_a_name_without_letters_forbids_nothing() -> None:
    assert new_password(GOOD, login="----@example.vn", name="····") == GOOD


def test_keyboards_that_compose_letters_in_other_ways_give_one_password() -> None:
    apart = unicodedata.normalize("NFD", GOOD).replace(" ", "\u00a0")
    assert apart != GOOD
    assert canonical(apart) == canonical(GOOD) == GOOD


def test_letter_case_and_blanks_at_the_ends_make_a_difference() -> None:
    assert len({canonical(one) for one in (GOOD, GOOD.upper(), f" {GOOD}")}) == 3


def test_a_hash_verifies_its_own_password_alone() -> None:
    assert verifies(HASHED, canonical(GOOD))
    for wrong in (GOOD.upper(), GOOD[:-1], "", f"{GOOD} "):
        assert not verifies(HASHED, wrong)
    assert not verifies(HASHED, None)
    assert not verifies(NOBODYS, None)
    assert not verifies(NOBODYS, "")


def test_the_hash_is_argon2id_with_what_owasp_names() -> None:
    assert HASHED.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert HASHER.hash(GOOD) != HASHED, "each has its own salt"
    assert not outdated(HASHED)


def test_a_hash_of_other_parameters_is_outdated() -> None:
    assert outdated(HASHED.replace("m=19456,t=2", "m=9216,t=4"))


def test_the_longest_password_is_bounded_whatever_its_form() -> None:
    assert canonical("ế" * LONGEST) == "ế" * LONGEST
    assert canonical(unicodedata.normalize("NFD", "ế" * LONGEST)) == "ế" * LONGEST
    assert canonical("ế" * (LONGEST + 1)) is None
