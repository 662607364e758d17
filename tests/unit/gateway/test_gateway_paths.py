"""Paths that two readers could understand differently are refused; all others pass."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.paths import PathNotNormalError, check_normal, decoded_segments


def is_normal(path: bytes) -> bool:
    try:
        check_normal(path)
    except PathNotNormalError:
        return False
    return True


def reference(path: bytes) -> bool:
    """The rule once more, by the grammar of RFC 3986 section 3.3 and segment by segment."""
    octet = rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f][0-9A-Fa-f])"
    if re.fullmatch(rb"(?:/%b*)+" % octet, path) is None:
        return False
    segments = path[1:].split(b"/")
    if any(segment == b"" for segment in segments[:-1]):
        return False
    for segment in segments:
        decoded = unquote_to_bytes(segment)
        if segment.split(b";")[0] in (b".", b".."):
            return False
        dots = segment.count(b".")
        if decoded.count(b".") != dots or b"/" in decoded or b"\\" in decoded:
            return False
        if any(byte < 0x20 or byte == 0x7F for byte in decoded):
            return False
        deeper = decoded
        while re.search(rb"%[0-9A-Fa-f]{2}", deeper):
            following = unquote_to_bytes(deeper)
            for hidden in (b".", b"/", b"\\", b"\x00"):
                if following.count(hidden) > deeper.count(hidden):
                    return False
            if following == deeper:
                break
            deeper = following
        try:
            decoded.decode()
        except UnicodeDecodeError:
            return False
    return True


PIECES = st.sampled_from(
    [
        *(b"/", b"a", b"Z9", b".", b"..", b"%", b"%2", b"%2e", b"%2E", b"%2f", b"%5C", b"%25", b"2e", b"%00"),
        *(b"%7f", b"%41", b"%c4%91", b"%c4", b"%ff", b";", b"=", b"\\", b"|", b" ", b"\xc4\x91", b"\x00"),
        *(b"%0a", b"5c", b"~"),
    ]
)


@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_the_check_agrees_with_the_grammar(path: bytes) -> None:
    assert is_normal(path) == reference(path)


@given(st.binary(max_size=30))
def test_the_check_agrees_with_the_grammar_on_any_bytes(path: bytes) -> None:
    assert is_normal(b"/" + path) == reference(b"/" + path)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="./\\%"), min_size=1))
)
def test_any_text_passes_once_it_is_encoded(texts: list[str]) -> None:
    path = b"".join(b"/" + quote(text, safe="").encode() for text in texts) or b"/"
    check_normal(path)
    assert decoded_segments(path) == [text.encode() for text in texts] or not texts


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (b"", "does not start"),
        (b"a", "does not start"),
        (b"//", "empty segment"),
        (b"/a//", "empty segment"),
        (b"/.", ". or .. segment"),
        (b"/a/..;x/b", ". or .. segment"),
        (b"/a%", "incomplete"),
        (b"/a%4g", "incomplete"),
        (b"/%2e", "encoded dot"),
        (b"/%252e", "encoded twice"),
        (b"/%2525252f", "encoded twice"),
        (b"/%c3", "UTF-8"),
        (b"/a b", "percent-encoded"),
        (b"/\xc4\x91", "percent-encoded"),
    ],
)
def test_the_reason_is_told(path: bytes, reason: str) -> None:
    with pytest.raises(PathNotNormalError, match=reason):
        check_normal(path)


@pytest.mark.parametrize(
    "path", [b"/", b"/a/", b"/.well-known/x", b"/a/...", b"/x001/067.p/5", b"/a..b", b"/100%25", b"/%25ab"]
)
def test_ordinary_paths_pass(path: bytes) -> None:
    check_normal(path)
