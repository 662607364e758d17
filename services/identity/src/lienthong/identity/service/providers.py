"""The providers in which people may sign in: read from an operator's file at the start."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import yaml
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from pydantic import ValidationError

from lienthong.identity.domain.providers import AuthenticationSpec, ProviderSpec, ProvidersSpec
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.clock import Clock
from lienthong.kit.judged_names import JudgedNames
from lienthong.relying.client_proofs import (
    Authentication,
    PrivateKey,
    SecretBasic,
    SecretPost,
    SignedAssertion,
    algorithm_of,
)
from lienthong.relying.fetching import Fetcher
from lienthong.relying.keys import ALGORITHMS
from lienthong.relying.provider import Client, Provider

_LARGEST: Final = 256 * 1024
_KEYS: Final[dict[str, type[ECKey | OKPKey | RSAKey]]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}


class ProvidersFileError(Exception):
    """The file of the providers, or one that it names, cannot be used; the process does not start."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A provider: how the operator describes it, and how it is asked."""

    spec: ProviderSpec
    provider: Provider


class Providers:
    """All of them, in the order of the file."""

    def __init__(self, found: list[Upstream], names: JudgedNames) -> None:
        self._found = {one.spec.id: one for one in found}
        self._names = names

    @classmethod
    def read(cls, file: Path | None, rules: ProviderAddresses, clock: Clock) -> Self:
        """Those of a file; none without one.

        Raises:
            ProvidersFileError: it cannot be used; the text says where and why.
        """
        specs = () if file is None else _specs(file)
        names = JudgedNames(rules)
        made = [] if file is None else [_upstream(spec, file.parent, names, clock) for spec in specs]
        return cls(made, names)

    def __iter__(self) -> Iterator[Upstream]:
        return iter(self._found.values())

    def get(self, provider_id: str) -> Upstream | None:
        """The provider under this id."""
        return self._found.get(provider_id)

    async def close(self) -> None:
        """Close the connections."""
        self._names.close()
        for one in self:
            await one.provider.close()


def _upstream(spec: ProviderSpec, folder: Path, names: JudgedNames, clock: Clock) -> Upstream:
    client = Client(
        issuer=spec.issuer,
        client_id=spec.client_id,
        authentication=_authentication(spec.authentication, folder),
        scopes=spec.scopes,
        algorithms=spec.algorithms,
        userinfo=spec.userinfo,
    )
    return Upstream(spec, Provider(client, Fetcher(names), clock))


def _specs(file: Path) -> tuple[ProviderSpec, ...]:
    text = _text(file)
    try:
        document = yaml.safe_load(text)
        return ProvidersSpec.model_validate({} if document is None else document).providers
    except yaml.YAMLError as error:
        raise ProvidersFileError(f"{file} is no YAML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'the file'}: {one['msg']}"
            for one in error.errors(include_input=False)
        )
        raise ProvidersFileError(f"{file} describes no providers: {faults}") from None


def _authentication(spec: AuthenticationSpec, folder: Path) -> Authentication:
    if spec.key_file is not None:
        return SignedAssertion(_key(folder / spec.key_file))
    path = folder / (spec.secret_file or "")
    secret = _text(path).rstrip("\r\n")
    if not secret:
        raise ProvidersFileError(f"{path} is empty: it must hold the client's secret")
    return SecretBasic(secret) if spec.method == "client_secret_basic" else SecretPost(secret)


def _key(path: Path) -> PrivateKey:
    try:
        document = json.loads(_text(path))
        key = _KEYS[document["kty"]].import_key(document)
        usable = key.is_private and algorithm_of(key) in ALGORITHMS
    except (ValueError, TypeError, KeyError, JoseError):
        usable = False
    if not usable:
        raise ProvidersFileError(f"{path} holds no private key as a JWK (EC, Ed25519 or RSA)")
    return key


def _text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(_LARGEST).decode()
    except (OSError, UnicodeError) as error:
        raise ProvidersFileError(f"{path} cannot be read: {error}") from None
