"""Credentials: made once, kept private, read back, and refused with words that name the file."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from lienthong.client.assertions import client_assertion
from lienthong.client.credentials import ALGORITHMS, Algorithm, Credentials
from lienthong.client.errors import CredentialsError
from tests.support.jwk_cases import GOOD_PAIRS, WRONG_PAIRS

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = "http://127.0.0.1:8080/"


class AnyOfOurs(JWSRegistry):
    """Verifies EdDSA under its older name without the library's warning."""

    def get_alg(self, name):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return self.algorithms[name]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_saved_is_loaded_again(tmp_path: Path, algorithm: Algorithm) -> None:
    made = Credentials.new("H11.05/land", gateway=GATEWAY, algorithm=algorithm)
    made.save(tmp_path / "land")
    loaded = Credentials.load(tmp_path / "land")
    assert (loaded.client_id, loaded.issuer, loaded.algorithm) == (
        "H11.05/land",
        "http://127.0.0.1:8080",
        algorithm,
    )
    assert loaded.token_endpoint == "http://127.0.0.1:8080/oauth2/token"
    assert loaded.public_keys() == made.public_keys()


def test_the_private_key_is_for_its_owner_only_and_the_public_file_has_no_private_part(
    tmp_path: Path,
) -> None:
    Credentials.new("H11.05/land", gateway=GATEWAY).save(tmp_path / "land")
    assert stat.S_IMODE((tmp_path / "land/key.jwk").stat().st_mode) == 0o600
    private = json.loads((tmp_path / "land/key.jwk").read_text())
    (public,) = json.loads((tmp_path / "land/public.jwks").read_text())["keys"]
    assert "d" in private
    assert "d" not in public
    assert public["kid"] == private["kid"]
    assert (public["alg"], public["use"]) == ("ES256", "sig")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    Credentials.new("H11.05/land", gateway=GATEWAY).save(tmp_path)
    before = (tmp_path / "key.jwk").read_bytes()
    with pytest.raises(CredentialsError, match="already holds") as refused:
        Credentials.new("H11.05/land", gateway=GATEWAY).save(tmp_path)
    assert refused.value.code == "keys-exist"
    assert (tmp_path / "key.jwk").read_bytes() == before


def test_the_key_shows_in_no_representation() -> None:
    made = Credentials.new("H11.05/land", gateway=GATEWAY)
    assert str(made.key.as_dict(private=True)["d"]) not in repr(made)
    assert "key" not in repr(made)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_assertion_proves_the_client_to_the_issuer_for_a_minute(algorithm: Algorithm) -> None:
    made = Credentials.new("H11.05/land", gateway=GATEWAY, algorithm=algorithm)
    text = client_assertion(made, now=1_800_000_000.9, jti="once")
    keys = KeySet.import_key_set(made.public_keys())  # type: ignore[arg-type]
    token = jwt.decode(text, keys, registry=AnyOfOurs(algorithms=list(ALGORITHMS)))
    assert token.header == {"typ": "JWT", "alg": algorithm, "kid": made.key.kid}
    assert token.claims == {
        "iss": "H11.05/land",
        "sub": "H11.05/land",
        "aud": "http://127.0.0.1:8080",
        "iat": 1_800_000_000,
        "exp": 1_800_000_060,
        "jti": "once",
    }


def broken(folder: Path, name: str, content: object) -> Path:
    Credentials.new("H11.05/land", gateway=GATEWAY).save(folder)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("client.json", {"client_id": "a/b", "issuer": ""}, "issuer, token_endpoint missing"),
        ("client.json", "{", "not JSON"),
        ("client.json", [], "not a JSON object"),
        ("key.jwk", {"kty": "EC"}, "not a valid JWK"),
        ("key.jwk", {"kty": "oct", "k": "c2VjcmV0LXRoYXQtbXVzdC1ub3Qtc2hvdw"}, "P-256, Ed25519 or RSA"),
        ("key.jwk", {"kty": "nix", "k": "c2VjcmV0LXRoYXQtbXVzdC1ub3Qtc2hvdw"}, "not a valid JWK"),
    ],
)
def test_a_broken_file_is_named_and_its_content_is_not(
    tmp_path: Path, name: str, content: object, said: str
) -> None:
    with pytest.raises(CredentialsError) as refused:
        Credentials.load(broken(tmp_path / "a", name, content))
    told = json.dumps(refused.value.document())
    assert name in told
    assert said in told
    assert "c2VjcmV0" not in told


def test_only_the_public_half_is_told_apart(tmp_path: Path) -> None:
    public = Credentials.new("H11.05/land", gateway=GATEWAY).public_keys()["keys"][0]
    with pytest.raises(CredentialsError, match="only the public half"):
        Credentials.load(broken(tmp_path / "a", "key.jwk", public))


def test_an_empty_folder_says_how_to_make_keys(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"client\.json: there is no such file") as refused:
        Credentials.load(tmp_path)
    assert "lienthong keys new" in refused.value.document()["advice"]


@pytest.mark.parametrize("name", GOOD_PAIRS)
def test_a_key_that_the_catalog_takes_is_loaded(tmp_path: Path, name: str) -> None:
    pair, algorithm = GOOD_PAIRS[name]
    assert Credentials.load(broken(tmp_path / "a", "key.jwk", pair)).algorithm == algorithm


@pytest.mark.parametrize("name", WRONG_PAIRS)
def test_a_key_that_the_catalog_refuses_is_refused_before_it_is_used(tmp_path: Path, name: str) -> None:
    with pytest.raises(CredentialsError, match="key is needed"):
        Credentials.load(broken(tmp_path / "a", "key.jwk", WRONG_PAIRS[name]))
