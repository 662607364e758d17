"""Signed notes and checkpoints, against published vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.tlog import (
    Checkpoint,
    MalformedCheckpointError,
    MalformedKeyError,
    MalformedNoteError,
    Note,
    SignatureRefusedError,
    SigningKey,
    VerifierKey,
    WrongOriginError,
    open_checkpoint,
    open_note,
    sign_note,
)

# The example of c2sp.org/signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
GO_SIGNING_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

KEY = SigningKey("lgsp/VN-BTN/ledger", bytes(range(32)))
OTHER = SigningKey("lgsp/VN-BTN/witness", bytes(32))
CHECKPOINT = Checkpoint(KEY.name, 70_000, bytes(reversed(range(32))))


def test_the_specifications_example_opens() -> None:
    key = VerifierKey.parse(SPEC_KEY)
    assert str(key) == SPEC_KEY
    assert open_note(SPEC_NOTE, [key]).text == "This is an example message.\n"
    assert str(open_note(SPEC_NOTE.encode(), [key])) == SPEC_NOTE


def test_go_s_example_is_signed_byte_for_byte() -> None:
    key = SigningKey.parse(GO_SIGNING_KEY)
    assert key.export() == GO_SIGNING_KEY
    assert str(key.verifier) == GO_KEY
    assert sign_note(GO_TEXT, [key]) == GO_NOTE
    assert open_note(GO_NOTE, [VerifierKey.parse(GO_KEY)]).text == GO_TEXT


def test_a_signing_key_does_not_show_itself() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert str(KEY.seed) not in repr(KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U",
        "example.com/foo+530d903a+",
        "example.com/foo +530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        SPEC_KEY + "\n",
    ],
)
def test_a_key_that_is_not_exactly_one_is_refused(text: str) -> None:
    with pytest.raises(MalformedKeyError):
        VerifierKey.parse(text)
    with pytest.raises(MalformedKeyError):
        SigningKey.parse("PRIVATE+KEY+" + text)


def test_the_text_may_hold_empty_lines() -> None:
    text = "first\n\n— no signature\n\nlast\n"
    assert open_note(sign_note(text, [KEY]), [KEY.verifier]).text == text


def test_signatures_of_unknown_keys_are_ignored_but_one_known_key_must_have_signed() -> None:
    both = sign_note("text\n", [OTHER, KEY])
    assert [signature.name for signature in open_note(both, [KEY.verifier]).signatures] == [KEY.name]
    with pytest.raises(SignatureRefusedError, match=r"none of the known keys.*witness"):
        open_note(sign_note("text\n", [OTHER]), [KEY.verifier])


def test_a_key_that_shares_only_the_name_is_unknown() -> None:
    namesake = SigningKey(KEY.name, bytes(32))
    assert open_note(sign_note("text\n", [namesake, KEY]), [KEY.verifier]).text == "text\n"
    with pytest.raises(SignatureRefusedError):
        open_note(sign_note("text\n", [namesake]), [KEY.verifier])


def test_a_wrong_signature_of_a_known_key_refuses_the_note_although_another_is_right() -> None:
    signed = sign_note("text\n", [OTHER, KEY])
    forged = signed.replace("text", "test", 1)
    wrong_line = forged.split("\n")[2]
    right_line = sign_note("test\n", [KEY]).split("\n")[2]
    note = f"test\n\n{wrong_line}\n{right_line}\n"
    with pytest.raises(SignatureRefusedError, match="witness does not fit"):
        open_note(note, [KEY.verifier, OTHER.verifier])
    assert open_note(note, [KEY.verifier]).text == "test\n"


@given(st.data())
def test_a_note_with_any_bit_changed_does_not_open(data: st.DataObject) -> None:
    raw = bytearray(CHECKPOINT.signed(KEY).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((MalformedNoteError, SignatureRefusedError)):
        open_note(bytes(raw), [KEY.verifier])


GOOD_LINE = GO_NOTE.split("\n")[3]


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "text\n",
        "text\n\n",
        f"text\n\n{GOOD_LINE}",
        f"text\n{GOOD_LINE}\n",
        f"text\n\n{GOOD_LINE}\n\n",
        f"text\n\n{GOOD_LINE}\nanother\n",
        f"text\n\n-{GOOD_LINE.removeprefix('—')}\n",
        f"text\n\n{GOOD_LINE} \n",
        f"text\n\n{GOOD_LINE.removesuffix('=')}\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— na\u00a0me AAAAAAAA\n",
        "text\n\n—  AAAAAAAA\n",
        f"te\rxt\n\n{GOOD_LINE}\n",
        f"te\0xt\n\n{GOOD_LINE}\n",
        f"te\txt\n\n{GOOD_LINE}\n",
        b"te\xffxt\n\n" + GOOD_LINE.encode() + b"\n",
        "text\n\n" + f"{GOOD_LINE}\n" * 101,
    ],
)
def test_what_is_not_exactly_a_note_is_refused(raw: str | bytes) -> None:
    with pytest.raises(MalformedNoteError):
        Note.parse(raw)


def test_a_text_that_cannot_be_a_note_s_is_not_signed() -> None:
    for text in ("", "no newline", "control \x01\n"):
        with pytest.raises(MalformedNoteError):
            sign_note(text, [KEY])


def test_a_checkpoint_opens_to_what_was_signed() -> None:
    signed = CHECKPOINT.signed(KEY)
    assert open_checkpoint(signed, KEY.verifier) == CHECKPOINT
    assert signed.startswith("lgsp/VN-BTN/ledger\n70000\nHx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=\n\n— ")


def test_extension_lines_are_kept() -> None:
    extended = Checkpoint(KEY.name, 0, bytes(32), ("first", "second"))
    assert open_checkpoint(extended.signed(KEY), KEY.verifier) == extended


def test_a_checkpoint_of_another_log_is_refused() -> None:
    stranger = Checkpoint("lgsp/VN-HNI/ledger", 3, bytes(32)).signed(KEY)
    with pytest.raises(WrongOriginError):
        open_checkpoint(stranger, KEY.verifier)
    assert open_checkpoint(stranger, [KEY.verifier], origin="lgsp/VN-HNI/ledger").size == 3


ROOT = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n\n{ROOT}\n",
        f"origin\n1 \n{ROOT}\n",
        f"origin\n١\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"origin\n1\n{ROOT}\n\nextension\n",
        f"origin\n1\n{ROOT}\n\n",
        f"origin\n1\n{ROOT}",
        f"origin\n1\n{ROOT[:-1]}\n",
        f"origin\n1\n{ROOT[:-4]}\n",
        f"origin\n1\n{ROOT[:-2]}B=\n",
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedCheckpointError):
        Checkpoint.parse(text)
