"""Whatever happens, a key is published before it signs and stays until its last token has expired."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.identity.domain.rotation import KeyTimes, Rotation, RotationRules, plan, signing_key

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
RULES = RotationRules(
    announced_for=timedelta(hours=1),
    signing_for=timedelta(days=30),
    token_lifetime=timedelta(minutes=5),
    grace=timedelta(minutes=1),
)
FIRST = KeyTimes("first", START)


def test_the_first_key_signs_at_once() -> None:
    assert plan([], rules=RULES, now=START) == Rotation(publish_signing_from=START)


def test_nothing_is_done_while_the_key_is_young() -> None:
    assert not plan([FIRST], rules=RULES, now=START + timedelta(days=29, hours=22))


def test_the_next_key_is_published_an_announcement_before_it_signs() -> None:
    due = START + timedelta(days=30)
    now = due - timedelta(hours=1)
    assert plan([FIRST], rules=RULES, now=now) == Rotation(publish_signing_from=due)
    assert not plan([FIRST, KeyTimes("next", due)], rules=RULES, now=now)


def test_after_a_long_absence_the_next_key_is_still_announced() -> None:
    late = START + timedelta(days=400)
    assert plan([FIRST], rules=RULES, now=late).publish_signing_from == late + timedelta(hours=1)


def test_keys_take_over_at_the_fixed_moment() -> None:
    following = KeyTimes("next", START + timedelta(days=30))
    keys = [following, FIRST]
    assert signing_key(keys, following.signs_from - timedelta(microseconds=1)) == FIRST
    assert signing_key(keys, following.signs_from) == following


def test_the_old_key_goes_when_its_last_token_has_expired() -> None:
    takeover = START + timedelta(days=30)
    keys = [FIRST, KeyTimes("next", takeover)]
    assert plan(keys, rules=RULES, now=takeover + timedelta(minutes=5, seconds=59)).remove == ()
    assert plan(keys, rules=RULES, now=takeover + timedelta(minutes=6)).remove == ("first",)


def test_a_clock_set_back_signs_with_a_published_key() -> None:
    assert (
        signing_key([KeyTimes("next", START + timedelta(days=1)), FIRST], START - timedelta(days=1)) == FIRST
    )
    assert plan([FIRST], rules=RULES, now=START - timedelta(days=1)) == Rotation()


def test_without_keys_nothing_signs() -> None:
    assert signing_key([], START) is None


@dataclass
class Life:
    """A server that lives through time, and a verifier that fetched the key set only now and then."""

    rules: RotationRules
    now: datetime = START
    keys: list[KeyTimes] = field(default_factory=list)
    published: dict[str, datetime] = field(default_factory=dict)
    last_token: dict[str, datetime] = field(default_factory=dict)
    made: int = 0

    def look(self) -> None:
        due = plan(self.keys, rules=self.rules, now=self.now)
        for key_id in due.remove:
            last = self.last_token.get(key_id)
            assert last is None or last + self.rules.token_lifetime <= self.now
        self.keys = [key for key in self.keys if key.key_id not in due.remove]
        if due.publish_signing_from is not None:
            self.made += 1
            key = KeyTimes(f"k{self.made}", due.publish_signing_from)
            self.keys.append(key)
            self.published[key.key_id] = self.now
        assert not plan(self.keys, rules=self.rules, now=self.now)

    def sign(self) -> None:
        key = signing_key(self.keys, self.now)
        assert key is not None
        assert key.key_id == "k1" or self.now - self.published[key.key_id] >= self.rules.announced_for
        self.last_token[key.key_id] = self.now


SECONDS = st.integers(min_value=1, max_value=10_000).map(lambda seconds: timedelta(seconds=seconds))


@settings(max_examples=200)
@given(
    announced_for=SECONDS,
    more=SECONDS,
    token_lifetime=SECONDS,
    steps=st.lists(st.tuples(SECONDS, st.booleans()), min_size=1, max_size=60),
)
def test_every_token_can_be_verified_all_its_life(
    announced_for: timedelta, more: timedelta, token_lifetime: timedelta, steps: list[tuple[timedelta, bool]]
) -> None:
    life = Life(RotationRules(announced_for, announced_for + more, token_lifetime, timedelta(0)))
    life.look()
    for step, looks in steps:
        life.now += step
        life.sign()
        if looks:
            life.look()
            life.sign()
        for key_id, last in life.last_token.items():
            if last + token_lifetime > life.now:
                assert key_id in {key.key_id for key in life.keys}
        assert len(life.keys) <= 3 + int(token_lifetime / more)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_replicas_agree_without_talking(count: int) -> None:
    keys = [KeyTimes(f"k{n}", START + timedelta(days=n)) for n in range(count)]
    for minutes in range(0, 4 * 24 * 60, 30):
        now = START + timedelta(minutes=minutes)
        assert signing_key(keys, now) == signing_key(list(reversed(keys)), now)
