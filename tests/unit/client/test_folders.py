"""`--as` finds folders and names; what it does not find it answers with the names there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.client import folders
from lienthong.client.credentials import Credentials
from lienthong.client.errors import CredentialsError, InputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with an operator and one demo system."""
    home = tmp_path / "home"
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    Credentials.new("operator", gateway="http://127.0.0.1:8080").save(home / "operator")
    Credentials.new("H11.05/land", gateway="http://127.0.0.1:8080").save(home / "demo/land")
    return home


@pytest.mark.parametrize("name", ["land", "H11.05/land", "demo-folder"])
def test_a_folder_a_name_and_a_client_id_lead_to_credentials(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    wanted = str(home / "demo/land") if name == "demo-folder" else name
    assert folders.choose(wanted, None) == home / "demo/land"


def test_a_client_id_of_another_agency_finds_nothing(home: Path) -> None:
    with pytest.raises(CredentialsError, match="land, operator"):
        folders.choose("H11.06/land", None)
    assert folders.names() == ["land", "operator"]
    assert home.is_dir()


def test_the_default_stands_where_nothing_is_chosen(home: Path) -> None:
    assert folders.choose(None, "operator") == home / "operator"
    with pytest.raises(CredentialsError, match="No credentials 'auditor'"):
        folders.choose(None, "auditor")
    with pytest.raises(CredentialsError, match="No system is chosen"):
        folders.choose(None, None)


def test_an_empty_home_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    with pytest.raises(CredentialsError, match="holds no credentials") as refused:
        folders.choose("land", None)
    assert "LIENTHONG_HOME" in refused.value.document()["advice"]


def test_the_gateway_moves_with_the_port_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIENTHONG_PORT_OFFSET", raising=False)
    assert folders.default_gateway() == "http://127.0.0.1:8080"
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", "1000")
    assert folders.default_gateway() == "http://127.0.0.1:9080"
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", "ten")
    with pytest.raises(InputError, match="not a number"):
        folders.default_gateway()
