"""Settings give durations that fit together and addresses that clients know."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from lienthong.identity.bootstrap import assertion_rules, rotation_rules, token_rules
from lienthong.identity.settings import IdentitySettings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("LIENTHONG_"):
            monkeypatch.delenv(name)


def test_files_lie_under_home() -> None:
    settings = IdentitySettings(home=Path("/srv/lgsp"))
    assert settings.identity_database_url == "sqlite+aiosqlite:////srv/lgsp/identity/identity.db"
    assert settings.identity_key_file == Path("/srv/lgsp/identity/key-encryption.jwk")
    assert settings.identity_bootstrap_dir is None


def test_the_token_endpoint_is_the_public_one() -> None:
    settings = IdentitySettings(public_url="https://lgsp.example/")
    assert settings.token_endpoint == "https://lgsp.example/oauth2/token"
    assert assertion_rules(settings).audiences == {
        "https://lgsp.example",
        "https://lgsp.example/oauth2/token",
        "https://lgsp.example/oauth2/par",
    }
    assert token_rules(settings).issuer == "https://lgsp.example"


def test_a_copy_of_the_key_set_never_outlives_the_announcement() -> None:
    for seconds in (1, 2, 60, 3600, 86_400):
        settings = IdentitySettings(identity_key_announced_for=timedelta(seconds=seconds))
        assert settings.jwks_max_age < seconds


def test_durations_are_read_as_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_IDENTITY_TOKEN_LIFETIME", "120")
    monkeypatch.setenv("LIENTHONG_IDENTITY_KEY_SIGNING_FOR", "P7D")
    settings = IdentitySettings()
    assert token_rules(settings).lifetime == timedelta(minutes=2)
    assert rotation_rules(settings).signing_for == timedelta(days=7)


@pytest.mark.parametrize(
    "values",
    [
        {"identity_key_announced_for": timedelta(days=31)},
        {"identity_token_lifetime": timedelta(0)},
        {"identity_token_lifetime": timedelta(hours=2)},
        {"identity_assertion_lifetime": timedelta(days=1)},
        {"identity_clock_leeway": timedelta(minutes=2)},
    ],
)
def test_durations_that_make_no_sense_are_refused(values: dict[str, timedelta]) -> None:
    with pytest.raises(ValidationError):
        IdentitySettings(**values)  # type: ignore[arg-type]
