"""The file of providers: the guide's is one, and what is wrong with others is said by its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from joserfc.jwk import ECKey

from lienthong.identity.service.providers import Providers, ProvidersFileError
from lienthong.kit.addresses import ProviderAddresses
from lienthong.kit.clock import ManualClock

GUIDES = Path(__file__).parents[3] / "docs" / "guide"
GOOD: dict[str, Any] = {
    "id": "tinh",
    "name": {"vi": "Tỉnh", "en": "Province"},
    "issuer": "https://sso.example.gov.vn/realms/tinh",
    "client_id": "lgsp",
    "authentication": {"method": "client_secret_basic", "secret_file": "tinh.secret"},
}


def read(folder: Path, document: object) -> Providers:
    file = folder / "providers.yaml"
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document), "utf-8")
    return Providers.read(file, ProviderAddresses(), ManualClock())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tinh.secret").write_text("secret\n", "utf-8")
    (tmp_path / "tinh").mkdir()
    key = ECKey.generate_key("P-256").as_dict(private=True)
    (tmp_path / "tinh" / "key.jwk").write_text(json.dumps(key), "utf-8")
    (tmp_path / "public.jwk").write_text(
        json.dumps({name: value for name, value in key.items() if name != "d"}), "utf-8"
    )
    (tmp_path / "empty").write_text("\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["sign-in-providers.md", "sign-in-providers.vi.md"])
async def test_the_guides_file_can_be_read(folder: Path, name: str) -> None:
    (text,) = re.findall(
        r"^```yaml\n(.*?)^```$", (GUIDES / name).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    found = read(folder, text)
    assert [one.spec.id for one in found] == ["tinh"]
    assert found.get("tinh") is not None
    assert found.get("other") is None
    await found.close()


async def test_without_a_file_there_are_none() -> None:
    found = Providers.read(None, ProviderAddresses(), ManualClock())
    assert list(found) == []
    await found.close()


FAULTS: dict[str, tuple[object, str]] = {
    "no YAML": ("providers: [", "no YAML"),
    "a list": ("[]\n", "describes no providers|Input should be"),
    "another member": ({"providers": [GOOD | {"color": "red"}]}, "providers.0.color"),
    "an id with a path": ({"providers": [GOOD | {"id": "../x"}]}, "providers.0.id"),
    "an issuer without TLS": ({"providers": [GOOD | {"issuer": "http://sso.example"}]}, "https"),
    "an issuer with a query": ({"providers": [GOOD | {"issuer": "https://sso.example/?a"}]}, "query"),
    "two with one id": ({"providers": [GOOD, GOOD | {"issuer": "https://other.example"}]}, "same id"),
    "two with one issuer": ({"providers": [GOOD, GOOD | {"id": "other"}]}, "same issuer"),
    "an algorithm with a secret": ({"providers": [GOOD | {"algorithms": ["HS256"]}]}, "algorithms"),
    "no algorithm": ({"providers": [GOOD | {"algorithms": ["none"]}]}, "algorithms"),
    "without openid": ({"providers": [GOOD | {"scopes": ["email"]}]}, "openid"),
    "one language": ({"providers": [GOOD | {"name": {"vi": "Tỉnh"}}]}, "providers.0.name.en"),
    "a name with a line end": ({"providers": [GOOD | {"name": {"vi": "a\nb", "en": "a"}}]}, "name.vi"),
    "a key where a secret is needed": (
        {"providers": [GOOD | {"authentication": {"method": "private_key_jwt", "secret_file": "x"}}]},
        "key_file",
    ),
    "a secret that is not there": (
        {"providers": [GOOD | {"authentication": {"method": "client_secret_post", "secret_file": "x"}}]},
        "cannot be read",
    ),
    "an empty secret": (
        {"providers": [GOOD | {"authentication": {"method": "client_secret_post", "secret_file": "empty"}}]},
        "is empty",
    ),
    "a public key": (
        {"providers": [GOOD | {"authentication": {"method": "private_key_jwt", "key_file": "public.jwk"}}]},
        "no private key",
    ),
    "too many": (
        {
            "providers": [
                GOOD | {"id": f"p{number}", "issuer": f"https://p{number}.example"} for number in range(11)
            ]
        },
        "at most 10",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_is_said_by_its_place(folder: Path, case: str) -> None:
    document, why = FAULTS[case]
    with pytest.raises(ProvidersFileError, match=why):
        read(folder, document)
