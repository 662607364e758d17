"""What people see: lines break between words, ids stay whole, and one language is one language."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lienthong.client.errors import LienthongError, Mistake, Text
from lienthong.client.terminal import table
from lienthong.client.terminal.language import Language
from lienthong.client.terminal.screen import Screen
from lienthong.client.terminal.table import Column

LONG_ID = "H11.36.01/mot-he-thong-co-ten-that-la-dai/mot-dich-vu-co-ten-cung-rat-dai-v1"
TEXT = Text(
    f"Hệ thống chưa có thoả thuận đã duyệt cho dịch vụ {LONG_ID}, hãy gửi yêu cầu trước khi gọi",
    f"The system has no approved agreement for the service {LONG_ID}, request one before you call",
)


def terminal(width: int = 80, language: Language = Language.BOTH) -> tuple[Screen, io.StringIO]:
    """A screen whose two streams are a terminal of this width."""
    screen, shown = Screen(as_json=False, language=language), io.StringIO()
    console = Console(
        file=shown, force_terminal=True, width=width, highlight=False, markup=False, color_system=None
    )
    screen.out = screen.err = console
    return screen, shown


@given(
    st.lists(st.from_regex(r"[a-zđ/.-]{1,60}", fullmatch=True), min_size=1, max_size=40), st.integers(40, 120)
)
def test_a_line_is_broken_between_words_only(words: list[str], width: int) -> None:
    screen, shown = terminal(width)
    screen.print("  " + " ".join(words))
    lines = shown.getvalue().splitlines()
    assert " ".join(lines).split() == words
    for line in lines:
        assert len(line) <= width or len(line.split()) == 1


def test_a_failure_keeps_its_ids_whole_at_80_columns() -> None:
    screen, shown = terminal()
    mistake = Mistake("/spec/service", TEXT, "manifests/services.yaml", 12)
    screen.failure(LienthongError(TEXT, TEXT, TEXT, code="no-agreement", mistakes=[mistake]))
    assert shown.getvalue().count(LONG_ID) == 6
    assert all(len(line) <= 80 or LONG_ID in line for line in shown.getvalue().splitlines())


@pytest.mark.parametrize(
    ("language", "there", "absent"),
    [(Language.VI, "chưa có thoả thuận", "approved agreement"), (Language.EN, "no approved", "chưa có")],
)
def test_one_language_is_shown_alone(language: Language, there: str, absent: str) -> None:
    screen, shown = terminal(language=language)
    screen.failure(LienthongError(TEXT, advice=TEXT, code="x"))
    assert there in shown.getvalue()
    assert absent not in shown.getvalue()
    assert ("mã lỗi" in shown.getvalue()) == (language is Language.VI)
    assert screen.label(Text("mã", "id")) == ("mã" if language is Language.VI else "id")


COLUMNS = (
    Column(Text("MÃ", "ID")),
    Column(Text("TÊN", "NAME"), prose=True),
    Column(Text("MÁY CHỦ", "UPSTREAMS")),
)
NAME = "Dịch vụ tra cứu thông tin thửa đất và tài sản gắn liền với đất"


def test_a_table_breaks_names_between_words_and_nothing_else() -> None:
    screen, shown = terminal()
    table.show(screen, COLUMNS, [("H11.05/land/parcels-v1", NAME, ["http://10.0.0.1:9000", "http://b"])])
    lines = shown.getvalue().splitlines()
    assert len(lines) > 2
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert "MÃ/ID" in lines[0]
    assert "H11.05/land/parcels-v1" in lines[1]
    assert "http://10.0.0.1:9000" in lines[1]
    assert "http://b" in lines[2]
    assert all(word in re.split(r"\s+", shown.getvalue()) for word in NAME.split())


def test_rows_too_wide_for_a_table_are_shown_value_under_value() -> None:
    screen, shown = terminal(language=Language.EN)
    table.show(screen, COLUMNS, [(LONG_ID, NAME, ["http://10.0.0.1:9000", "http://b"]), ("b", None, [])])
    assert [line.rstrip() for line in shown.getvalue().splitlines()] == [
        LONG_ID,
        f"  NAME       {NAME}",
        "  UPSTREAMS  http://10.0.0.1:9000",
        "             http://b",
        "b",
    ]


def test_values_stand_below_their_heads_where_they_would_not_fit_beside() -> None:
    screen, shown = terminal(width=60, language=Language.EN)
    table.show(
        screen, COLUMNS, [("H11.05/land", NAME, ["http://mot-may-chu-co-ten-rat-dai.example.vn:9000"])]
    )
    assert [line.rstrip() for line in shown.getvalue().splitlines()] == [
        "H11.05/land",
        "  NAME",
        "    Dịch vụ tra cứu thông tin thửa đất và tài sản gắn liền",
        "    với đất",
        "  UPSTREAMS",
        "    http://mot-may-chu-co-ten-rat-dai.example.vn:9000",
    ]


def test_without_rows_nothing_is_printed() -> None:
    screen, shown = terminal()
    table.show(screen, COLUMNS, [])
    assert shown.getvalue() == ""
