"""Access tokens for providers: kept, renewed early, by one request at a time, never in a storm."""

from __future__ import annotations

import asyncio

import pytest

from lienthong.gateway.credentials.tokens import Tokens, TokenUnavailableError


class Endpoint:
    """A token endpoint, and a clock."""

    def __init__(self, lifetime: float = 100.0) -> None:
        self.lifetime = lifetime
        self.asked = 0
        self.failing = False
        self.open = asyncio.Event()
        self.open.set()
        self.now = 0.0
        self.tokens = Tokens(self.fetch, monotonic=lambda: self.now, jitter=lambda _, most: most)

    async def fetch(self) -> tuple[str, float]:
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.failing:
            raise TokenUnavailableError("it answers 500")
        return f"token {number}", self.lifetime


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_token_is_kept_and_fetched_once_for_all_that_wait() -> None:
    endpoint = Endpoint()
    endpoint.open.clear()
    waiting = [asyncio.create_task(endpoint.tokens.token()) for _ in range(50)]
    await settled()
    endpoint.open.set()
    assert set(await asyncio.gather(*waiting)) == {"token 1"}
    endpoint.now = 69
    assert await endpoint.tokens.token() == "token 1"
    assert endpoint.asked == 1


async def test_it_is_renewed_early_while_calls_go_on_with_the_old_one() -> None:
    endpoint = Endpoint()
    await endpoint.tokens.token()
    endpoint.now = 70
    endpoint.open.clear()
    assert [await endpoint.tokens.token() for _ in range(10)] == ["token 1"] * 10
    await settled()
    assert endpoint.asked == 2
    endpoint.open.set()
    await settled()
    assert await endpoint.tokens.token() == "token 2"


async def test_a_failed_early_renewal_costs_no_call_and_is_tried_again_with_pauses() -> None:
    endpoint = Endpoint()
    await endpoint.tokens.token()
    endpoint.now, endpoint.failing = 70, True
    for _ in range(10):
        assert await endpoint.tokens.token() == "token 1"
        await settled()
    assert endpoint.asked == 2
    endpoint.now = 71
    await endpoint.tokens.token()
    await settled()
    assert endpoint.asked == 3
    endpoint.failing, endpoint.now = False, 73
    await endpoint.tokens.token()
    await settled()
    assert await endpoint.tokens.token() == "token 4"


async def test_without_a_token_the_endpoint_is_left_alone_for_longer_and_longer() -> None:
    endpoint = Endpoint()
    endpoint.failing = True
    times = []
    for tenth in range(3000):
        endpoint.now = tenth / 10
        before = endpoint.asked
        with pytest.raises(TokenUnavailableError) as failed:
            await endpoint.tokens.token()
        assert failed.value.reason == "it answers 500"
        assert 0 < failed.value.retry_after_s <= 60
        if endpoint.asked > before:
            times.append(endpoint.now)
    assert times == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    endpoint.failing, endpoint.now = False, 400
    assert await endpoint.tokens.token() == "token 11"


async def test_a_token_is_not_used_to_its_very_end() -> None:
    endpoint = Endpoint()
    await endpoint.tokens.token()
    endpoint.now, endpoint.failing = 95, True
    with pytest.raises(TokenUnavailableError):
        await endpoint.tokens.token()


async def test_one_that_was_refused_is_replaced_once_for_all() -> None:
    endpoint = Endpoint(3600)
    token = await endpoint.tokens.token()
    endpoint.now = 60
    found = await asyncio.gather(*(endpoint.tokens.after_refusal(token) for _ in range(20)))
    assert set(found) == {"token 2"}
    assert await endpoint.tokens.after_refusal(token) == "token 2"
    assert endpoint.asked == 2


async def test_a_provider_that_refuses_every_token_causes_no_storm() -> None:
    endpoint = Endpoint(3600)
    for second in range(300):
        endpoint.now = second
        token = await endpoint.tokens.token()
        await endpoint.tokens.after_refusal(token)
    assert endpoint.asked <= 11


async def test_a_refusal_while_the_endpoint_fails_costs_no_other_call() -> None:
    endpoint = Endpoint(3600)
    token = await endpoint.tokens.token()
    endpoint.now, endpoint.failing = 60, True
    assert await endpoint.tokens.after_refusal(token) is None
    assert await endpoint.tokens.token() == token


async def test_a_call_that_gives_up_does_not_end_the_renewal_for_others() -> None:
    endpoint = Endpoint()
    endpoint.open.clear()
    first, second = (asyncio.create_task(endpoint.tokens.token()) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    endpoint.open.set()
    assert await second == "token 1"


@pytest.mark.parametrize("lifetime", [-1, 0, 2, 10, 1e12])
async def test_any_lifetime_gives_a_token_that_can_be_used(lifetime: float) -> None:
    endpoint = Endpoint(lifetime)
    for second in range(100):
        endpoint.now = second * 10
        assert (await endpoint.tokens.token()).startswith("token ")
        await settled()
    assert endpoint.asked <= 200
