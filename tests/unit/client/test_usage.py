"""Mistakes in the words of a command are told in Vietnamese too, whatever the reader of the line says."""

from __future__ import annotations

import pytest

from lienthong.client.cli import app
from lienthong.client.usage import bilingual_usage


@pytest.mark.parametrize(
    ("words", "vietnamese"),
    [
        (["apply", "hello.yaml"], "Thiếu tuỳ chọn '--file' / '-f'."),
        (["call", "GET"], "Thiếu tham số 'SERVICE_ID/PATH|URL'."),
        (["get", "systems", "--sa", "x"], "Không có tuỳ chọn --sa."),
        (["agrement"], "Không có lệnh 'agrement'. Ý bạn là 'agreement'?"),
        (["agreement", "approve", "a-b-c", "d"], "Thừa tham số: d."),
        (["audit", "search", "--limit", "many"], "Giá trị của '--limit' không hợp lệ: "),
        (["audit", "search", "--limit"], "Tuỳ chọn '--limit' cần một giá trị."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_is_told_in_both_languages(
    words: list[str], vietnamese: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        app(words)
    assert ended.value.code == 2
    assert f"\n  {vietnamese}" in capsys.readouterr().err


def test_what_is_not_known_stays_as_it_was_said() -> None:
    assert bilingual_usage("Quite another thing.").vi == "Quite another thing."
