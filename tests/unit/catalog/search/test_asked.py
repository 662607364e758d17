"""What a query asks for."""

from __future__ import annotations

import pytest

from lienthong.catalog.search.domain.asked import MOST_WORDS, Asked, Having, Term
from lienthong.kit.problems import ProblemError


def test_the_last_word_is_the_beginning_of_one_while_it_is_typed() -> None:
    assert Asked.of("thửa đ").anywhere.all == (Term("2thua"), Term("2d", prefix=True))
    assert Asked.of("thửa đất ").anywhere.all == (Term("2thua"), Term("2dat"))


def test_a_word_that_is_repeated_is_asked_for_once() -> None:
    assert Asked.of("đất dat thửa").anywhere.all == (Term("2dat"), Term("2thua", prefix=True))
    assert Asked.of("đất thửa dat").anywhere.all == (Term("2thua"), Term("2dat", prefix=True))


def test_without_marks_words_are_in_the_title_or_in_what_is_said_or_anywhere() -> None:
    assert Asked.of("thua dat ").ranks == (
        Having((Term("0thua"), Term("0dat"))),
        Having((Term("1thua"), Term("1dat")), (Term("0thua"), Term("0dat"))),
        Having((Term("2thua"), Term("2dat")), (Term("1thua"), Term("1dat"))),
    )


def test_while_a_word_is_typed_whole_ones_come_first() -> None:
    whole, begun, *_ = Asked.of("dat").ranks
    assert whole == Having((Term("0dat"),))
    assert begun == Having((Term("0dat", prefix=True),), (Term("0dat"),))


def test_only_words_with_marks_are_looked_for_with_marks() -> None:
    [marks] = [term for term in Asked.of("thua dat đường ").ranks[0].all if term.text.startswith("3")]
    ranks = Asked.of("thua dat đường ").ranks
    assert len(ranks) == 6
    assert all(marks in rank.all for rank in ranks[:3])
    assert all(rank.nor == (marks,) for rank in ranks[3:])


def test_signs_alone_ask_for_nothing() -> None:
    assert Asked.of("&|!():*'\"").words == ()


def test_too_many_words_are_refused_in_both_languages() -> None:
    text = " ".join(f"w{number}" for number in range(MOST_WORDS + 1))
    with pytest.raises(ProblemError) as refused:
        Asked.of(text)
    assert "more than 10 words" in refused.value.detail.en
    assert "hơn 10 từ" in refused.value.detail.vi
