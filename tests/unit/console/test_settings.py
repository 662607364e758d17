"""Where the console may be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lienthong.console.settings import ConsoleSettings


def test_it_is_on_the_machine_itself_by_default() -> None:
    settings = ConsoleSettings(port_offset=10)
    assert settings.console_url == "http://localhost:8100"
    assert settings.console_redirect == "http://localhost:8100/signed-in"
    assert (settings.port("console"), settings.health_port("console")) == (8100, 8201)


@pytest.mark.parametrize(
    "given",
    [
        "http://console.example.vn",
        "https://console.example.vn/pages",
        "https://lgsp.example.vn:8090",
        "https://edge.example.vn",
    ],
)
def test_it_is_neither_without_tls_nor_where_providers_pages_are(given: str) -> None:
    with pytest.raises(ValidationError, match="console_url"):
        ConsoleSettings(
            public_url="https://lgsp.example.vn", edge_url="https://edge.example.vn:8443", console_url=given
        )
