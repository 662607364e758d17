"""How a person signs in: the password and then what the roles and the account demand, or a passkey alone.

What may be guessed is counted before it is looked at, in a transaction of its own, so that many guesses at
once are as many as one after the other. What was right is used up, and the session begun, in one transaction:
killed in between, a person has signed in or has not, and no code or challenge is good a second time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.people import errors
from lienthong.identity.people.domain.accounts import Account, AccountRules, AccountState
from lienthong.identity.people.domain.names import LONGEST_LOGIN, UnusableNameError, login_of
from lienthong.identity.people.domain.passkeys import authentication_options, new_challenge
from lienthong.identity.people.domain.passwords import NOBODYS, canonical, outdated
from lienthong.identity.people.domain.secrets import digest, new_token
from lienthong.identity.people.domain.sessions import HERE, Factor, NextStep, Origin, Via, next_step
from lienthong.identity.people.domain.upstream import Asserted
from lienthong.identity.people.repository import accounts, sign_ins
from lienthong.identity.people.repository.factors import has_second_factor
from lienthong.identity.people.repository.sign_ins import SignIn
from lienthong.identity.people.service.factors import Factors, NewTotp
from lienthong.identity.people.service.failures import Failures
from lienthong.identity.people.service.password_checks import PasswordChecks
from lienthong.identity.people.service.sessions import Begun, Sessions
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.rates import TokenBuckets, network_of

MOST_UNDER_WAY: Final = 5
"""Sign-ins of one person; the oldest ends where another one begins."""

Prove = Callable[[AsyncSession, Account, SignIn], Awaitable[bool]]

_REFUSED: Final = {
    Factor.TOTP: errors.code_refused,
    Factor.RECOVERY_CODE: errors.recovery_code_refused,
    Factor.PASSKEY: errors.passkey_refused,
}
"""What is said where a second factor was not proved."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A sign-in that needs something more. `token` is for the browser, and stored nowhere."""

    token: str
    step: NextStep


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A session that began with a new second factor, and the recovery codes for it, shown once."""

    begun: Begun
    recovery_codes: list[str]


class SignIns:
    """Sign-ins, from the first thing that a person sends to the session."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        factors: Factors,
        failures: Failures,
        checks: PasswordChecks,
        clock: Clock,
        *,
        rules: AccountRules,
        starts: TokenBuckets,
    ) -> None:
        """`starts` limits how often one network, or one known device, may begin to sign in."""
        self._database = database
        self._sessions = sessions
        self._factors = factors
        self._failures = failures
        self._checks = checks
        self._clock = clock
        self._rules = rules
        self._starts = starts

    async def password(
        self, login: str, password: str, origin: Origin, device: str | None = None
    ) -> Begun | UnderWay:
        """Begin with login and password. `device` is what the browser was given when someone signed in last.

        Raises:
            ProblemError: 403 `sign-in-refused`, or `account-not-active` where the password was right; 429
                `sign-in-blocked` or `rate-limited`; 503 `busy`.
        """
        await self.start(origin, device)
        self._checks.admit()
        account = await self._account(login)
        # What no account can have for a login is counted like any other.
        counted = login[:LONGEST_LOGIN] if account is None else account.login
        await self._failures.count(counted, account, origin, device)
        hashed = None if account is None else account.password_hash
        # Nobody's hash takes as long, so that the time does not tell which accounts exist.
        right = await self._checks.verify(hashed or NOBODYS, canonical(password) if hashed else None)
        if not right or account is None or hashed is None:
            raise errors.sign_in_refused()
        renewed = await self._checks.hash(canonical(password) or "") if outdated(hashed) else hashed
        async with self._database.transaction() as session:
            account = await accounts.lock(session, account.id)
            if account is None or account.password_hash != hashed:
                raise errors.sign_in_refused()
            self._admit(account)
            if renewed != hashed:
                await accounts.put_password(session, account.id, renewed)
            step = next_step(account, has_second_factor=await has_second_factor(session, account.id))
            if step is None:
                return await self._finish(session, account, (Factor.PASSWORD,), origin, device)
            await self._failures.give_back(session, account, origin, device)
            return await self._under_way(session, step, account.id)

    async def proved_elsewhere(
        self, session: AsyncSession, account: Account, found: Asserted, origin: Origin, device: str | None
    ) -> Begun | UnderWay:
        """Go on with somebody who has signed in at a provider that knows the person as this account, which is
        locked. Where that took two factors, none of ours is asked for.

        Raises:
            ProblemError: 403 `account-not-active`.
        """
        self._admit(account)
        step = None
        if not found.two_factors:
            step = next_step(account, has_second_factor=await has_second_factor(session, account.id))
        if step is not None:
            # What is proved here next is newer than what was proved there.
            return await self._under_way(session, step, account.id, Via(found.provider, found.session))
        used = (Factor.UPSTREAM_TWO if found.two_factors else Factor.UPSTREAM,)
        via = Via(found.provider, found.session, found.proved_at)
        return await self._finish(session, account, used, origin, device, via)

    async def begin_passkey(self, origin: Origin, device: str | None = None) -> tuple[str, dict[str, Any]]:
        """Begin with a passkey alone: the token of this sign-in, and what the browser needs.

        Raises:
            ProblemError: 429 `rate-limited`.
        """
        await self.start(origin, device)
        async with self._database.transaction() as session:
            begun = await self._under_way(session, NextStep.PASSKEY, "")
            options = await self._ask(session, digest(begun.token), [])
        return begun.token, options

    async def passkey_options(self, token: str) -> dict[str, Any]:
        """What the browser needs to use a passkey as the second factor; earlier challenges are worth nothing.

        Raises:
            ProblemError: 403 `sign-in-expired`.
        """
        async with self._database.transaction() as session:
            found, account = await self._found(session, token, NextStep.SECOND_FACTOR)
            return await self._ask(
                session, found.digest, await self._factors.passkeys_of(session, account.id)
            )

    async def passkey(self, token: str, response: str, origin: Origin, device: str | None = None) -> Begun:
        """Sign in with what the browser answered to a challenge, as the second factor or alone.

        A challenge is good once, whether the answer was right or not.

        Raises:
            ProblemError: 403 `sign-in-refused`, `sign-in-expired` or `account-not-active`.
        """
        await self.start(origin, device)
        begun: Begun | None = None
        closed: AccountState | None = None
        async with self._database.transaction() as session:
            owner = await self._factors.owner(session, response)
            account = None if owner is None else await accounts.lock(session, owner)
            found = await sign_ins.sign_in(session, digest(token), self._clock.now(), locked=True)
            if found is None or found.step not in (NextStep.SECOND_FACTOR, NextStep.PASSKEY):
                raise errors.sign_in_expired()
            await sign_ins.put_challenge(session, found.digest, new_challenge())
            if (
                account is not None
                and found.person_id in ("", account.id)
                and await self._factors.prove_passkey(session, account, response, found.challenge)
            ):
                closed = self._closed(account)
                if closed is None:
                    await sign_ins.end_sign_in(session, found.digest)
                    used = (_first(found), Factor.PASSKEY) if found.person_id else (Factor.PASSKEY,)
                    begun = await self._finish(session, account, used, origin, device, found.via)
        if closed is not None:
            raise errors.account_not_active(closed)
        if begun is None:
            raise errors.passkey_refused()
        return begun

    async def totp(self, token: str, code: str, origin: Origin, device: str | None = None) -> Begun:
        """Sign in with a code of an authenticator application.

        Raises:
            ProblemError: 403 `sign-in-refused`, `sign-in-expired` or `account-not-active`; 429
                `sign-in-blocked`.
        """

        async def prove(session: AsyncSession, account: Account, _: SignIn) -> bool:
            return await self._factors.prove_totp(session, account, code)

        return await self._second(token, Factor.TOTP, prove, origin, device)

    async def recovery_code(self, token: str, code: str, origin: Origin, device: str | None = None) -> Begun:
        """Sign in with a recovery code, which is used up.

        Raises:
            ProblemError: as `totp`.
        """

        async def prove(session: AsyncSession, account: Account, _: SignIn) -> bool:
            return await self._factors.prove_recovery_code(session, account, code)

        return await self._second(token, Factor.RECOVERY_CODE, prove, origin, device)

    async def check(self, token: str) -> None:
        """Whether a second factor can be proved now.

        Raises:
            ProblemError: 403 `sign-in-expired` or `account-not-active`.
        """
        async with self._database.transaction() as session:
            await self._found(session, token, NextStep.SECOND_FACTOR)

    async def enrol_totp(self, token: str) -> NewTotp:
        """Make a secret for someone who needs a second factor and has none.

        Raises:
            ProblemError: 403 `sign-in-expired`.
        """
        async with self._database.transaction() as session:
            _, account = await self._found(session, token, NextStep.ENROL)
            return await self._factors.begin_totp(session, account)

    async def pending_totp(self, token: str) -> NewTotp:
        """The secret that `enrol_totp` made, to be shown once more: what a telephone has read stays good.

        Raises:
            ProblemError: 403 `sign-in-expired`.
        """
        async with self._database.transaction() as session:
            _, account = await self._found(session, token, NextStep.ENROL)
            return await self._factors.pending_totp(session, account)

    async def confirm_totp(
        self, token: str, code: str, origin: Origin, device: str | None = None
    ) -> Enrolled:
        """Confirm the secret by a code of it, and sign in.

        Raises:
            ProblemError: as `totp`.
        """

        async def prove(session: AsyncSession, account: Account, _: SignIn) -> bool:
            return await self._factors.confirm_totp(session, account, code)

        return await self._enrol(token, Factor.TOTP, prove, origin, device)

    async def enrol_passkey(self, token: str) -> dict[str, Any]:
        """What the browser needs to register a passkey, for someone who needs a second factor and has none.

        Raises:
            ProblemError: 403 `sign-in-expired`.
        """
        async with self._database.transaction() as session:
            found, account = await self._found(session, token, NextStep.ENROL)
            challenge = new_challenge()
            await sign_ins.put_challenge(session, found.digest, challenge)
            return await self._factors.registration_options(session, account, challenge)

    async def register_passkey(
        self, token: str, response: str, name: str, origin: Origin, device: str | None = None
    ) -> Enrolled:
        """Register the passkey that the browser made, and sign in.

        Raises:
            ProblemError: as `totp`; 422 `invalid-request` for the name.
        """

        async def prove(session: AsyncSession, account: Account, found: SignIn) -> bool:
            await sign_ins.put_challenge(session, found.digest, new_challenge())
            return await self._factors.register_passkey(session, account, response, found.challenge, name)

        return await self._enrol(token, Factor.PASSKEY, prove, origin, device)

    async def _second(
        self, token: str, factor: Factor, prove: Prove, origin: Origin, device: str | None
    ) -> Begun:
        await self._counted(token, NextStep.SECOND_FACTOR, origin, device)
        begun: Begun | None = None
        async with self._database.transaction() as session:
            found, account = await self._found(session, token, NextStep.SECOND_FACTOR)
            if await prove(session, account, found):
                await sign_ins.end_sign_in(session, found.digest)
                used = (_first(found), factor)
                begun = await self._finish(session, account, used, origin, device, found.via)
        if begun is None:
            raise _REFUSED[factor]()
        return begun

    async def _enrol(
        self, token: str, factor: Factor, prove: Prove, origin: Origin, device: str | None
    ) -> Enrolled:
        await self._counted(token, NextStep.ENROL, origin, device)
        enrolled: Enrolled | None = None
        async with self._database.transaction() as session:
            found, account = await self._found(session, token, NextStep.ENROL)
            if await prove(session, account, found):
                await sign_ins.end_sign_in(session, found.digest)
                codes = await self._factors.new_recovery_codes(session, account)
                used = (_first(found), factor)
                begun = await self._finish(session, account, used, origin, device, found.via)
                enrolled = Enrolled(begun, codes)
        if enrolled is None:
            raise _REFUSED[factor]()
        return enrolled

    async def _finish(
        self,
        session: AsyncSession,
        account: Account,
        factors: tuple[Factor, ...],
        origin: Origin,
        device: str | None,
        via: Via = HERE,
    ) -> Begun:
        """Begin the session of someone who has proved everything, and forgive what failed before."""
        await self._failures.forgive(session, account, origin, device)
        await accounts.note_use(session, account.id, self._clock.now())
        return await self._sessions.begin(session, account, factors, origin, device, via)

    async def _under_way(
        self, session: AsyncSession, step: NextStep, person_id: str, via: Via = HERE
    ) -> UnderWay:
        token = new_token()
        expires_at = self._clock.now() + self._sessions.rules.sign_in
        if person_id:
            await sign_ins.end_sign_ins(session, person_id, keep=MOST_UNDER_WAY - 1)
        await sign_ins.put_sign_in(
            session, SignIn(digest(token), person_id, step.value, new_challenge(), expires_at, via)
        )
        return UnderWay(token, step)

    async def _ask(self, session: AsyncSession, sign_in: bytes, allowed: list[bytes]) -> dict[str, Any]:
        challenge = new_challenge()
        await sign_ins.put_challenge(session, sign_in, challenge)
        return authentication_options(self._factors.party, challenge=challenge, allowed=allowed)

    async def _found(self, session: AsyncSession, token: str, step: NextStep) -> tuple[SignIn, Account]:
        """A sign-in at this step, and whose it is, both locked."""
        now = self._clock.now()
        known = await sign_ins.sign_in(session, digest(token), now)
        account = None if known is None else await accounts.lock(session, known.person_id)
        found = await sign_ins.sign_in(session, digest(token), now, locked=True)
        if found is None or account is None or found.step != step:
            raise errors.sign_in_expired()
        self._admit(account)
        return found, account

    async def _counted(self, token: str, step: NextStep, origin: Origin, device: str | None) -> None:
        """Count an attempt at a second factor, before it is looked at."""
        async with self._database.transaction() as session:
            _, account = await self._found(session, token, step)
        await self._failures.count(account.login, account, origin, device)

    async def _account(self, login: str) -> Account | None:
        try:
            canonical_login = login_of(login)
        except UnusableNameError:
            return None
        async with self._database.reading() as session:
            return await accounts.find_by_login(session, canonical_login)

    async def start(self, origin: Origin, device: str | None) -> None:
        """Count a sign-in that begins: for its network, or for the device, where somebody has signed in on
        it, so that a stranger behind the same address stops nobody there.

        Raises:
            ProblemError: 429 `rate-limited`.
        """
        starter = network_of(origin.address)
        if device is not None:
            known = digest(device)
            async with self._database.reading() as session:
                if await sign_ins.is_known_device(session, known, self._clock.now()):
                    starter = f"device {known.hex()}"
        wait = self._starts.wait(starter)
        if wait > 0:
            raise errors.too_many_starts(self._starts.limit, wait)

    def _admit(self, account: Account) -> None:
        closed = self._closed(account)
        if closed is not None:
            raise errors.account_not_active(closed)

    def _closed(self, account: Account) -> AccountState | None:
        """The state of an account that may not sign in; one that lies idle is locked before it says so."""
        if self._rules.is_idle(account, self._clock.now()):
            return AccountState.LOCKED
        return None if account.state is AccountState.ACTIVE else account.state


def _first(found: SignIn) -> Factor:
    """The first factor of a sign-in under way."""
    return Factor.UPSTREAM if found.via.provider else Factor.PASSWORD
