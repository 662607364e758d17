"""Second factors: added, proved, removed. Each function works in the transaction that it is given.

A secret of an authenticator application is stored encrypted with the key-encryption key, as a JWK of its own,
and names the account in it: moved to another account's row, it opens nothing.
"""

import base64
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.domain.key_encryption import KeyEncryption
from lienthong.identity.people import errors
from lienthong.identity.people.domain import passkeys, totp
from lienthong.identity.people.domain.accounts import Account
from lienthong.identity.people.domain.names import UnusableNameError, name_of
from lienthong.identity.people.domain.passkeys import (
    MOST_PASSKEYS,
    PasskeyRefusedError,
    RelyingParty,
    authenticated,
    credential_id_of,
    registered,
)
from lienthong.identity.people.domain.secrets import new_recovery_codes, recovery_digest
from lienthong.identity.people.repository import factors
from lienthong.identity.people.service.recording import itself, record
from lienthong.kit.clock import Clock
from lienthong.kit.journal import AdminJournal


@dataclass(frozen=True, slots=True)
class NewTotp:
    """A secret for an authenticator application, shown once: as text, and as what a telephone reads."""

    secret: str
    uri: str


class Factors:
    """The second factors of all people."""

    def __init__(
        self, encryption: KeyEncryption, party: RelyingParty, journal: AdminJournal, clock: Clock
    ) -> None:
        self._encryption = encryption
        self._journal = journal
        self._clock = clock
        self.party = party

    async def begin_totp(self, session: AsyncSession, account: Account) -> NewTotp:
        """Make a secret; it counts for nothing until a code of it has been confirmed."""
        secret = totp.new_secret()
        await factors.put_totp(session, account.id, self._seal(account.id, secret))
        return self._shown(account, secret)

    async def pending_totp(self, session: AsyncSession, account: Account) -> NewTotp:
        """The secret that was made last and has not been confirmed; a new one where there is none."""
        stored = await factors.totp(session, account.id, confirmed=False)
        if stored is None:
            return await self.begin_totp(session, account)
        return self._shown(account, self._open(account.id, stored.sealed))

    async def confirm_totp(self, session: AsyncSession, account: Account, code: str) -> bool:
        """Confirm the secret that was made last by a code of it; the one before is gone."""
        stored = await factors.totp(session, account.id, confirmed=False)
        step = None if stored is None else self._step(account.id, stored, code)
        if step is None:
            return False
        await factors.confirm_totp(session, account.id, step)
        await record(self._journal, session, itself(account), "person.add-totp", account.id)
        return True

    async def prove_totp(self, session: AsyncSession, account: Account, code: str) -> bool:
        """Whether this is a code of the person's application that was not used; uses it up."""
        stored = await factors.totp(session, account.id, confirmed=True)
        step = None if stored is None else self._step(account.id, stored, code)
        return step is not None and await factors.use_totp(session, account.id, step)

    async def prove_recovery_code(self, session: AsyncSession, account: Account, code: str) -> bool:
        """Whether this is one of the person's recovery codes; uses it up."""
        return await factors.use_recovery_code(session, account.id, recovery_digest(code))

    async def new_recovery_codes(self, session: AsyncSession, account: Account) -> list[str]:
        """Ten recovery codes, shown once, in the place of all others."""
        codes = new_recovery_codes()
        digests = [recovery_digest(code) for code in codes]
        await factors.put_recovery_codes(session, account.id, digests)
        await record(self._journal, session, itself(account), "person.make-recovery-codes", account.id)
        return codes

    async def registration_options(
        self, session: AsyncSession, account: Account, challenge: bytes
    ) -> dict[str, Any]:
        """What the browser needs to register a passkey.

        Raises:
            ProblemError: 409 `too-many-passkeys`.
        """
        existing = await factors.passkeys_of(session, account.id)
        if len(existing) >= MOST_PASSKEYS:
            raise errors.too_many_passkeys(MOST_PASSKEYS)
        return passkeys.registration_options(
            self.party,
            person_id=account.id,
            login=account.login,
            name=account.name,
            challenge=challenge,
            existing=[one.credential_id for one in existing],
        )

    async def register_passkey(
        self, session: AsyncSession, account: Account, response: str, challenge: bytes, name: str
    ) -> bool:
        """Register the passkey that a response proves; False where it proves none.

        Raises:
            ProblemError: 409 `too-many-passkeys`, 422 `invalid-request` for the name.
        """
        try:
            shown = name_of(name)
        except UnusableNameError as unusable:
            raise errors.unusable("name", unusable.text) from None
        if len(await factors.passkeys_of(session, account.id)) >= MOST_PASSKEYS:
            raise errors.too_many_passkeys(MOST_PASSKEYS)
        try:
            found = registered(self.party, response, challenge)
        except PasskeyRefusedError:
            return False
        if not await factors.add_passkey(session, account.id, found, shown, self._clock.now()):
            return False
        await record(self._journal, session, itself(account), "person.add-passkey", account.id)
        return True

    async def passkeys_of(self, session: AsyncSession, person_id: str) -> list[bytes]:
        """The ids of a person's passkeys."""
        return [one.credential_id for one in await factors.passkeys_of(session, person_id)]

    async def owner(self, session: AsyncSession, response: str) -> str | None:
        """Whose passkey a response says that it is by; nothing is proved yet."""
        try:
            return await factors.owner(session, credential_id_of(response))
        except PasskeyRefusedError:
            return None

    async def prove_passkey(
        self, session: AsyncSession, account: Account, response: str, challenge: bytes
    ) -> bool:
        """Whether a passkey of this person, whose account is locked, has answered this challenge."""
        try:
            passkey = await factors.passkey(session, account.id, credential_id_of(response))
            if passkey is None:
                return False
            count = authenticated(self.party, response, challenge, passkey, account.id)
        except PasskeyRefusedError:
            return False
        await factors.count_signature(session, passkey.credential_id, count)
        return True

    def _shown(self, account: Account, secret: str) -> NewTotp:
        uri = totp.provisioning_uri(secret, login=account.login, issuer=self.party.name)
        return NewTotp(secret, uri)

    def _step(self, person_id: str, stored: factors.StoredTotp, code: str) -> int | None:
        secret = self._open(person_id, stored.sealed)
        return totp.matching_step(secret, code, now=self._clock.now(), after=stored.last_step)

    def _seal(self, person_id: str, secret: str) -> str:
        key = base64.urlsafe_b64encode(base64.b32decode(secret)).rstrip(b"=").decode()
        return self._encryption.encrypt({"kty": "oct", "k": key, "kid": person_id})

    def _open(self, person_id: str, sealed: str) -> str:
        """The secret in base32.

        Raises:
            KeyDecryptionError: it was encrypted with another key-encryption key.
            ValueError: it is another account's; the database was changed by other hands.
        """
        key = self._encryption.decrypt(sealed)
        if key.get("kid") != person_id:
            raise ValueError("the secret of an authenticator application lies in another account's row")
        padded = key["k"] + "=" * (-len(key["k"]) % 4)
        return base64.b32encode(base64.urlsafe_b64decode(padded)).decode()
