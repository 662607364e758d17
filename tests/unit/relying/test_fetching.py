"""A provider that is slow, huge, leads elsewhere or lies: each ends in words, and in time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.clock import ManualClock
from lienthong.kit.judged_names import JudgedNames
from lienthong.relying import fetching
from lienthong.relying.attempts import Attempt
from lienthong.relying.client_proofs import SecretBasic, SecretPost
from lienthong.relying.errors import (
    AnswerRefusedError,
    ProviderAwayError,
    ProviderBusyError,
    ProviderRefusedError,
)
from lienthong.relying.fetching import AT_ONCE, LARGEST_ANSWER, WAITING, Fetcher
from lienthong.relying.metadata import is_address, read_metadata
from lienthong.relying.provider import Client, Provider
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LOOPBACK = ProviderAddresses((ip_network("127.0.0.0/8"),))


class Serving:
    """A server that answers each request with the bytes of a function of its path; None for never."""

    def __init__(self, answer: Callable[[str], bytes | None]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b" ")[1].decode())
        found = self.answer(self.asked[-1])
        try:
            if found is None:
                await reader.read()
            else:
                writer.write(found)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Callable[[str], bytes | None]) -> AsyncIterator[Serving]:
    made = Serving(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@asynccontextmanager
async def a_fetcher(rules: ProviderAddresses = LOOPBACK) -> AsyncIterator[Fetcher]:
    names = JudgedNames(rules)
    fetcher = Fetcher(names)
    try:
        yield fetcher
    finally:
        await fetcher.close()
        names.close()


def ok(body: bytes, *fields: str, status: str = "200 OK") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields])
    return head.encode() + b"\r\n\r\n" + body


HOSTILE: dict[str, tuple[bytes, str]] = {
    "more than fits": (ok(b" " * (LARGEST_ANSWER + 1)), "more than"),
    "endless": (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LARGEST_ANSWER * 2), "more than"),
    "packed": (ok(b"x", "Content-Encoding: gzip"), "packed"),
    "no HTTP": (b"\x00\x01\x02\r\n\r\n", "RemoteProtocolError"),
    "a head without end": (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 300_000, "RemoteProtocolError"),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_an_answer_that_cannot_be_used_ends_in_words(case: str) -> None:
    answer, why = HOSTILE[case]
    async with serving(lambda _: answer) as server, a_fetcher() as fetcher:
        with pytest.raises(ProviderAwayError, match=why):
            await fetcher.get(f"{server.url}/x")


async def test_a_redirect_is_an_answer_like_any_other_and_not_followed() -> None:
    moved = ok(b"", "Location: http://169.254.169.254/", status="302 Found")
    async with serving(lambda _: moved) as server, a_fetcher() as fetcher:
        found = await fetcher.get(f"{server.url}/x")
        assert (found.status, found.document, server.asked) == (302, {}, ["/x"])


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000, b"7", b""])
async def test_what_is_no_object_is_an_empty_one(body: bytes) -> None:
    async with serving(lambda _: ok(body)) as server, a_fetcher() as fetcher:
        assert (await fetcher.get(f"{server.url}/x")).document == {}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "0x0", "2130706433"])
async def test_addresses_that_must_not_be_called_are_not(host: str) -> None:
    async with a_fetcher(ProviderAddresses()) as fetcher:
        with pytest.raises(ProviderAwayError, match="leads to"):
            await fetcher.get(f"http://{host}:9/x")


async def test_one_that_never_answers_is_given_up_and_lets_only_so_many_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "WHOLE_S", 2.0)
    async with serving(lambda _: None) as server, a_fetcher() as fetcher, a_fetcher() as other:
        waiting = [asyncio.create_task(fetcher.get(f"{server.url}/{n}")) for n in range(AT_ONCE + WAITING)]
        await eventually(lambda: len(server.asked) == AT_ONCE)
        with pytest.raises(ProviderBusyError):
            await fetcher.get(f"{server.url}/one-more")
        async with serving(lambda _: ok(b'{"a": 1}')) as well:
            assert (await other.get(f"{well.url}/x")).document == {"a": 1}
        for task in waiting[AT_ONCE:]:
            task.cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {str(one) for one in outcomes[:AT_ONCE]} == {"no answer within 2 seconds"}
        assert len(server.asked) == AT_ONCE


def configuration(url: str, **changes: Any) -> bytes:  # noqa: ANN401 - any JSON
    said = {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/keys",
        **changes,
    }
    return ok(msgspec.json.encode(said))


@asynccontextmanager
async def a_provider(
    server: Serving,
    clock: ManualClock,
    **options: Any,  # noqa: ANN401 - those of a client
) -> AsyncIterator[Provider]:
    async with a_fetcher() as fetcher:
        client = Client(issuer=server.url, client_id="c", authentication=SecretPost("s"), **options)
        yield Provider(client, fetcher, clock)


async def test_many_who_come_at_once_are_one_request_and_after_a_failure_none_for_a_while() -> None:
    up = False

    def answer(_: str) -> bytes:
        return configuration(server.url) if up else ok(b"", status="500 Oops")

    clock = ManualClock()
    async with serving(answer) as server, a_provider(server, clock) as provider:
        begun = [provider.address(Attempt.new(), "https://us.example/back") for _ in range(20)]
        outcomes = await asyncio.gather(*begun, return_exceptions=True)
        assert all(isinstance(one, ProviderAwayError) for one in outcomes)
        assert len(server.asked) == 1
        up = True
        clock.advance(5)
        address = await provider.address(Attempt.new(), "https://us.example/back", prompt="login")
        assert address.startswith(f"{server.url}/authorize?response_type=code&client_id=c&")
        assert "code_challenge_method=S256" in address
        up = False
        clock.advance(3_700)
        # What it said an hour ago is still true, most likely.
        assert await provider.address(Attempt.new(), "https://us.example/back")
        clock.advance(90_000)
        with pytest.raises(ProviderAwayError):
            await provider.address(Attempt.new(), "https://us.example/back")


async def test_an_answer_of_another_issuer_is_a_mix_up() -> None:
    says: dict[str, object] = {"authorization_response_iss_parameter_supported": True}
    for supported in ({}, says):

        def answer(_: str, more: dict[str, object] = supported) -> bytes:
            return configuration(server.url, **more)

        async with serving(answer) as server, a_provider(server, ManualClock()) as provider:
            assert await provider.code_of({"code": "c", "iss": server.url}) == "c"
            for iss in ("https://evil.example", f"{server.url}/", ""):
                with pytest.raises(AnswerRefusedError, match="iss"):
                    await provider.code_of({"code": "c", "iss": iss})
                with pytest.raises(AnswerRefusedError, match="iss"):
                    await provider.code_of({"error": "access_denied", "iss": iss})
            if supported:
                with pytest.raises(AnswerRefusedError, match="iss"):
                    await provider.code_of({"code": "c"})
            else:
                assert await provider.code_of({"code": "c"}) == "c"
            with pytest.raises(ProviderRefusedError, match="access_denied"):
                await provider.code_of({"error": "access_denied", "iss": server.url})
            with pytest.raises(ProviderRefusedError, match="unknown"):
                await provider.code_of({"error": "<script>\n", "iss": server.url})
            for code in ("", "c" * 3_000):
                with pytest.raises(AnswerRefusedError, match="code"):
                    await provider.code_of({"code": code, "iss": server.url})


METADATA: dict[str, dict[str, object]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "a slash more": {"issuer": "https://login.example/"},
    "no issuer": {"issuer": None},
    "no token endpoint": {"token_endpoint": None},
    "a token endpoint without TLS": {"token_endpoint": "http://login.example/token"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a user in the address": {"authorization_endpoint": "https://login.example@evil.example/"},
    "a fragment": {"authorization_endpoint": "https://login.example/#x"},
    "a line end": {"authorization_endpoint": "https://login.example/\r\nSet-Cookie: a"},
    "a backslash": {"authorization_endpoint": "https://login.example\\@evil.example/"},
    "a port that is none": {"authorization_endpoint": "https://login.example:99999/"},
    "a list": {"pushed_authorization_request_endpoint": []},
    "without end": {"end_session_endpoint": "https://login.example/" + "a" * 3_000},
}


@pytest.mark.parametrize("case", METADATA)
def test_metadata_that_lead_astray_are_not_used(case: str) -> None:
    good = msgspec.json.decode(configuration("https://login.example").partition(b"\r\n\r\n")[2])
    assert read_metadata(good, "https://login.example").token == "https://login.example/token"
    with pytest.raises(ProviderAwayError):
        read_metadata(good | METADATA[case], "https://login.example")


def test_an_address_is_of_https() -> None:
    assert is_address("https://login.example:8443/realms/tinh?a=b")
    assert not is_address("http://login.example/")
    assert is_address("http://127.0.0.1:8080/", secure=False)


def test_a_secret_is_encoded_like_a_form_in_the_head() -> None:
    proof = SecretBasic("a b:c/+").proof("urn:x", "", ManualClock().now())
    assert proof.headers == {"Authorization": "Basic dXJuJTNBeDphK2IlM0FjJTJGJTJC"}
    assert "a b" not in repr(SecretBasic("a b:c/+"))
