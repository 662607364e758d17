"""Files beside pages: the reviewed style sheet, and nothing that runs inside a page."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import bootstrap_wrapper
import pytest

from lienthong.pages.static_files import BOOTSTRAP, WrongFileError, load_static_files

ROOT = Path(__file__).parents[3]
TEMPLATES = [
    *ROOT.glob("libs/pages/src/lienthong/pages/templates/*.html"),
    *ROOT.glob("services/identity/src/lienthong/identity/pages/templates/*.html"),
]


def test_an_address_names_the_content() -> None:
    held = load_static_files()
    assert BOOTSTRAP in held
    assert len({one.address for one in held.values()}) == len(held)
    for one in held.values():
        assert gzip.decompress(one.packed) == one.content
        assert b"sourceMappingURL" not in one.content


def test_another_style_sheet_than_the_reviewed_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / BOOTSTRAP).write_text("body { background: url(//evil.example) }")
    monkeypatch.setattr(bootstrap_wrapper, "get_bootstrap_css_dir", lambda: tmp_path)
    with pytest.raises(WrongFileError):
        load_static_files()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_page_has_scripts_or_styles_of_its_own_or_of_others(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son(?!ward=)[a-z]+=|javascript:|https?://|\|\s*safe", text)
    for script in re.findall(r"<script[^>]*>[^<]*</script>", text):
        assert re.fullmatch(r"<script src=\"\{\{ static\['[a-z]+\.js'\] \}\}\" defer></script>", script)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_text_is_there_in_both_languages(template: Path) -> None:
    """A word between tags is a name of the house, or stands in `t(vi, en)`."""
    text = re.sub(r"\{% block width %\}[a-z]+", "", template.read_text("utf-8"))
    text = re.sub(r"\{[{%#].*?[}%#]\}", "", text, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-zÀ-ỹ]{3,}", re.sub(r"<[^>]*>", " ", text)))
    assert words <= {"Liên", "thông", "English", "Tiếng", "Việt"}
