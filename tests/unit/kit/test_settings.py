"""What processes read from their environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from lienthong.kit.settings import Settings


class ComponentSettings(Settings):
    """As a component would write it."""

    catalog_database_url: str = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['home']}/catalog/catalog.db"
    )


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LIENTHONG_"):
            monkeypatch.delenv(name)


def test_without_an_environment_everything_is_on_this_machine() -> None:
    settings = Settings()
    assert settings.public_url == settings.issuer == "http://127.0.0.1:8080"
    assert (settings.nats_url, settings.catalog_rpc) == ("nats://127.0.0.1:4222", "127.0.0.1:9101")
    assert settings.token_audience == "urn:lgsp:VN-BTN"
    assert settings.home == Path(".lienthong")


def test_the_offset_shifts_every_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", "1000")
    settings = Settings()
    ports = [
        settings.port("gateway"), settings.port("ledger"), settings.rpc_port("identity"),
        settings.health_port("gateway"), settings.health_port("catalog"),
    ]  # fmt: skip
    assert ports == [9080, 9104, 10102, 9180, 9181]
    assert settings.public_url == "http://127.0.0.1:9080"
    assert settings.identity_rpc == "127.0.0.1:10102"
    assert settings.nats_url == "nats://127.0.0.1:5222"


def test_a_component_adds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", "/srv/lt")
    assert ComponentSettings().catalog_database_url == "sqlite+aiosqlite:////srv/lt/catalog/catalog.db"
    monkeypatch.setenv("LIENTHONG_CATALOG_DATABASE_URL", "postgresql://db/lt")
    assert ComponentSettings().catalog_database_url == "postgresql://db/lt"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_OTLP_ENDPOINT", "")
    monkeypatch.setenv("LIENTHONG_PUBLIC_URL", "")
    assert Settings().otlp_endpoint is None
    assert Settings().public_url == "http://127.0.0.1:8080"


def test_the_issuer_never_ends_with_a_slash() -> None:
    assert Settings(public_url="https://lgsp.example/").issuer == "https://lgsp.example"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT_OFFSET", "-1"), ("LOG_LEVEL", "loud"), ("INSTANCE", "a b")]
)
def test_nonsense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"LIENTHONG_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://account.example.vn/", "https://account.example.vn"),
        ("https://Account.Example.vn:443", "https://account.example.vn"),
        ("https://account.example.vn:8443", "https://account.example.vn:8443"),
        ("http://localhost:9091", "http://localhost:9091"),
    ],
)
def test_the_address_of_pages_is_an_origin(given: str, origin: str) -> None:
    assert Settings(people_url=given).people_url == origin


@pytest.mark.parametrize(
    "given",
    [
        "http://account.example.vn",
        "http://127.0.0.1:8091",
        "https://account.example.vn/pages",
        "https://account.example.vn?x",
        "https://a@account.example.vn",
        "https://",
        "account.example.vn",
        "https://account.example.vn:99999",
        "https://lgsp.example.vn:8091",
        "https://edge.example.vn",
    ],
)
def test_pages_are_neither_without_tls_nor_where_providers_pages_are(given: str) -> None:
    with pytest.raises(ValidationError, match="people_url"):
        Settings(
            public_url="https://lgsp.example.vn", edge_url="https://edge.example.vn:8443", people_url=given
        )
