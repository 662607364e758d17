"""The command speaks the language that the environment names, and help texts exist in both."""

from __future__ import annotations

import pytest

from lienthong.client.errors import InputError
from lienthong.client.terminal.language import Language, half, language_of


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LIENTHONG_LANG": "vi", "LANG": "en_US.UTF-8"}, Language.VI),
        ({"LIENTHONG_LANG": "EN", "LANG": "vi_VN"}, Language.EN),
        ({"LIENTHONG_LANG": "both", "LANG": "vi_VN"}, Language.BOTH),
        ({"LIENTHONG_LANG": "", "LANG": "vi_VN.UTF-8"}, Language.VI),
        ({"LANG": "en_GB.UTF-8"}, Language.EN),
        ({"LANG": "fr_FR.UTF-8"}, Language.EN),
        ({"LANG": "vi"}, Language.VI),
        ({"LC_ALL": "vi_VN", "LC_MESSAGES": "en_US", "LANG": "en_US"}, Language.VI),
        ({"LC_ALL": "", "LC_MESSAGES": "en_US", "LANG": "vi_VN"}, Language.EN),
        ({"LANG": "C.UTF-8"}, Language.BOTH),
        ({"LANG": "POSIX"}, Language.BOTH),
        ({}, Language.BOTH),
    ],
)
def test_the_variable_decides_then_the_locale(environment: dict[str, str], language: Language) -> None:
    assert language_of(environment) is language


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match="It is 'fr'") as refused:
        language_of({"LIENTHONG_LANG": "fr"})
    assert "vi, en or both" in refused.value.document()["advice"]


def test_each_paragraph_of_a_help_text_has_two_halves() -> None:
    text = "Gọi dịch vụ · Call a service.\n\nXem\n    thêm · See\n    more.\n\nGET, POST"
    assert half(text, Language.VI) == "Gọi dịch vụ\n\nXem thêm\n\nGET, POST"
    assert half(text, Language.EN) == "Call a service\n\nSee more\n\nGET, POST"
    assert half(text, Language.BOTH) == "Gọi dịch vụ · Call a service\n\nXem thêm · See more\n\nGET, POST"
