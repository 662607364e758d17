"""Digests of RFC 9530: a body has to be the one that was announced, and answers state what is wanted."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.gateway.digests import stated_digests, wanted_digests
from lienthong.gateway.http1.fields import field_prefix
from lienthong.kit.problems import ProblemError
from tests.unit.gateway.way import CONSUMER, STREAMED_FROM, WITHIN_LIMIT, Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATH = "/api/H11.05/land/parcels-v1/p/1"
BODY = b'{"parcel": 1}'


def stated(body: bytes, *algorithms: str) -> str:
    """The value of a digest field of this body."""
    names = {"sha-256": "sha256", "sha-512": "sha512", "md5": "md5"}
    return ", ".join(
        f"{one}=:{base64.b64encode(hashlib.new(names[one], body).digest()).decode()}:" for one in algorithms
    )


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A gateway that serves."""
    way = Way(tmp_path, None, 1000)
    await way.open()
    yield way
    await way.close()


async def put(way: Way, *parts: bytes, chunked: bool = False, **fields: str) -> dict[str, Any]:
    framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": f"{len(b''.join(parts))}"}
    headers = framing | {name.replace("_", "-"): value for name, value in fields.items()}
    return await way.call("PUT", PATH, token=way.token(CONSUMER), headers=headers, body=parts)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "value", [stated(BODY, "sha-256"), stated(BODY, "sha-512"), stated(BODY, "sha-256", "sha-512") + ";x=1"]
)
async def test_a_body_that_is_the_one_announced_passes(way: Way, value: str, chunked: bool) -> None:
    outcome = await put(way, BODY[:5], BODY[5:], chunked=chunked, content_digest=value)
    assert outcome["answer"]["status"] == 200
    [sent] = outcome["sent"]
    assert f"content-digest: {value}" in sent
    assert BODY.decode() in sent.replace("\r\n8\r\n", "").replace("5\r\n", "") or not chunked


@pytest.mark.parametrize("name", ["content_digest", "repr_digest"])
@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
async def test_another_body_is_refused_and_does_not_reach_the_provider(
    way: Way, name: str, algorithm: str
) -> None:
    outcome = await put(way, BODY, chunked=False, **{name: stated(b"other", algorithm)})
    assert (outcome["answer"]["body"], outcome["sent"]) == ("problem digest-mismatch", [])
    record = json.loads(outcome["records"][0].replace("…", "0"))
    assert (record["error"], record["failed"], record["request_bytes"]) == (
        "digest-mismatch",
        "client",
        len(BODY),
    )


async def test_of_a_streamed_body_the_last_part_is_held_back(way: Way) -> None:
    parts = (b"a" * 100, b"b" * (WITHIN_LIMIT - 100))
    outcome = await put(way, *parts, chunked=True, content_digest=stated(b"other", "sha-256"))
    assert outcome["answer"]["body"] == "problem digest-mismatch"
    assert outcome["sent"] == []


async def test_without_a_body_the_digest_is_that_of_nothing(way: Way) -> None:
    assert (await put(way, content_digest=stated(b"", "sha-256")))["answer"]["status"] == 200
    assert (await put(way, content_digest=stated(b"x", "sha-256")))["answer"][
        "body"
    ] == "problem digest-mismatch"


@pytest.mark.parametrize(
    "value",
    [
        "sha-256=abc",
        "sha-256=:!!:",
        "sha-256=:QQ:",
        "sha-256",
        "=:QQ==:",
        "sha-256=:QUJD:,",
        "SHA-256=:QUJD:",
    ],
)
async def test_what_is_no_digest_is_refused(way: Way, value: str) -> None:
    assert (await put(way, BODY, content_digest=value))["answer"]["body"] == "problem malformed-request"


async def test_other_algorithms_and_parts_of_a_representation_say_nothing(way: Way) -> None:
    assert (await put(way, BODY, content_digest=stated(b"other", "md5")))["answer"]["status"] == 200
    partial = await put(way, BODY, repr_digest=stated(b"whole", "sha-256"), content_range="bytes 0-12/100")
    assert partial["answer"]["status"] == 200


async def answered(way: Way, answer: bytes = b"", **fields: str) -> dict[str, str]:
    way.answers[:] = [answer] if answer else []
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    outcome = await way.call("GET", PATH, token=way.token(), headers=headers)
    found = dict(line.split(": ", 1) for line in outcome["answer"]["headers"])
    if "content-digest" in found and "sha-256" in found["content-digest"]:
        record = json.loads(outcome["records"][0].replace("…", "0"))
        digest = base64.b64decode(found["content-digest"].removeprefix("sha-256=:").removesuffix(":"))
        assert record["response_sha256"] in {digest.hex(), 0}
    return {name: value for name, value in found.items() if name.endswith("-digest")}


@pytest.mark.parametrize(
    ("wanted", "algorithm"),
    [
        ("sha-256=1", "sha-256"),
        ("sha-256=3, sha-512=10", "sha-512"),
        ("sha-512=5, sha-256=5", "sha-256"),
        ("md5=10, sha-512=1", "sha-512"),
        ("sha-256=0", None),
        ("md5=1", None),
        ("sha-256=11", None),
        ("sha-256", None),
    ],
)
async def test_an_answer_states_what_is_wanted(way: Way, wanted: str, algorithm: str | None) -> None:
    expected = {} if algorithm is None else {"content-digest": stated(b"hello", algorithm)}
    assert await answered(way, want_content_digest=wanted) == expected


async def test_the_representation_is_the_body_of_a_whole_answer(way: Way) -> None:
    expected = {"repr-digest": stated(b"hello", "sha-256")}
    assert await answered(way, want_repr_digest="sha-256=1") == expected
    partial = b"HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-1/9\r\ncontent-length: 2\r\n\r\nhe"
    assert await answered(way, partial, want_repr_digest="sha-256=1") == {}


async def test_what_the_provider_states_stays_and_of_streamed_answers_nothing_is_known(way: Way) -> None:
    own = b"HTTP/1.1 200 OK\r\ncontent-digest: sha-512=:QQ==:\r\ncontent-length: 2\r\n\r\nhe"
    assert await answered(way, own, want_content_digest="sha-256=1") == {"content-digest": "sha-512=:QQ==:"}
    large = b"x" * (STREAMED_FROM + 1)
    streamed = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(large), large)
    assert await answered(way, streamed, want_content_digest="sha-256=1") == {}


async def test_who_wants_nothing_is_told_nothing(way: Way) -> None:
    assert await answered(way) == {}


async def test_a_refusal_states_its_digest_too(way: Way) -> None:
    outcome = await way.call("GET", PATH, headers={"want-content-digest": "sha-256=1"})
    assert any(line.startswith("content-digest: sha-256=:") for line in outcome["answer"]["headers"])


def test_a_digest_that_comes_in_parts_is_checked_at_the_end() -> None:
    digests = stated_digests(stated(BODY, "sha-256", "sha-512").encode(), None, [])
    assert digests is not None
    for part in (BODY[:4], BODY[4:]):
        digests.update(part)
    digests.check(hashlib.sha256(BODY).digest())
    with pytest.raises(ProblemError, match="sha-256"):
        digests.check(hashlib.sha256(b"other").digest())


def test_what_cannot_be_compared_is_none() -> None:
    assert stated_digests(None, None, []) is None
    assert stated_digests(b"md5=:QQ==:", None, []) is None
    assert (
        stated_digests(None, stated(BODY, "sha-256").encode(), [field_prefix(b"content-range"), b"x"]) is None
    )
    assert wanted_digests(None, b"md5=1") is None
