"""The recipes of docs/reference/identity.md, run as they stand there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from joserfc.jwk import ECKey

from lienthong.identity.events import SystemEvent
from tests.integration.identity.harness import SYSTEM, Process, running, settings_for
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "identity.md"


def recipes(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def own_address(folder: Path) -> AbstractAsyncContextManager[Process]:
    port = take_free_port()
    settings = settings_for(folder, f"sqlite+aiosqlite:///{folder / 'test.db'}")
    return running(settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"}), port=port)


async def run(folder: Path, *command: str, **variables: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env={**os.environ, **variables}, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


async def test_curl_and_openssl_get_a_token(tmp_path: Path) -> None:
    make_keys, ask = recipes("sh")
    async with own_address(tmp_path) as process:
        await run(tmp_path, "sh", "-euc", make_keys)
        manifest = {"spec": {"jwks": json.loads((tmp_path / "public.jwks").read_text())}}
        event = {"version": 1, "kind": "System", "id": SYSTEM, "action": "upserted", "resource": manifest}
        await process.core.registry.follow(SystemEvent.model_validate(event))
        for _ in range(2):
            answer = await run(tmp_path, "sh", "-euc", ask, CLIENT_ID=SYSTEM, GATEWAY=process.url)
            assert json.loads(answer)["scope"] == "api events"


async def test_python_gets_a_token(tmp_path: Path) -> None:
    (program,) = recipes("python")
    key = ECKey.generate_key("P-256", parameters={"alg": "ES256", "use": "sig"})
    async with own_address(tmp_path) as process:
        await process.register(key)
        (tmp_path / "key.jwk").write_text(json.dumps(key.as_dict(private=True)))
        (tmp_path / "client.json").write_text(
            json.dumps(
                {
                    "client_id": SYSTEM,
                    "token_endpoint": process.settings.token_endpoint,
                    "issuer": process.settings.issuer,
                }
            )
        )
        assert (await run(tmp_path, sys.executable, "-c", program, str(tmp_path))).count(".") == 2
