"""The province's accounts at the stand-in for the national core: made at the first start, then kept.

The stand-in reads them from its own folder, the gateway from its folder of secrets, as an operator would have
put them there. Nobody else gets them.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SYSTEM: Final = "G01/population"
OAUTH2_NAME: Final = "core"
KEYS_NAME: Final = "core-keys"
X_ROAD_CLIENT: Final = "VN/GOV/H11/lgsp"
X_ROAD_SERVICE: Final = "VN/GOV/G01/population/citizens"
_FILE: Final = "accounts.json"
_MEMBERS: Final = {
    "access_key": "AccessKey",
    "secret_key": "SecretKey",
    "app_name": "AppName",
    "partner_code": "PartnerCode",
}


@dataclass(frozen=True, slots=True, repr=False)
class CoreAccounts:
    """An OAuth 2 client, and the content of `lgspaccesstoken`."""

    client_id: str
    client_secret: str
    lgsp: Mapping[str, str]

    @classmethod
    def load(cls, folder: Path) -> CoreAccounts:
        """Read the accounts that the stand-in knows.

        Raises:
            OSError: there are none.
        """
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return cls(found["client_id"], found["client_secret"], found["lgsp"])


def ensure_accounts(stand_in: Path, gateway_secrets: Path) -> CoreAccounts:
    """Make the accounts where there are none, and give the gateway its half."""
    try:
        accounts = CoreAccounts.load(stand_in)
    except FileNotFoundError:
        accounts = CoreAccounts(
            "lgsp-h11",
            secrets.token_urlsafe(32),
            {
                "AccessKey": secrets.token_urlsafe(16),
                "SecretKey": secrets.token_urlsafe(32),
                "AppName": "LGSP",
                "PartnerCode": "H11",
            },
        )
        document = {
            "client_id": accounts.client_id,
            "client_secret": accounts.client_secret,
            "lgsp": accounts.lgsp,
        }
        replace_file(stand_in / _FILE, json.dumps(document, indent=2) + "\n")
    given = {
        f"{OAUTH2_NAME}.client_id": accounts.client_id,
        f"{OAUTH2_NAME}.client_secret": accounts.client_secret,
        **{f"{KEYS_NAME}.{member}": accounts.lgsp[name] for member, name in _MEMBERS.items()},
    }
    for name, value in given.items():
        replace_file(gateway_secrets / f"{SYSTEM.replace('/', '_')}_{name}", value + "\n")
    return accounts
