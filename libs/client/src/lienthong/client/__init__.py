"""SDK of the Liên thông interoperability bus.

from lienthong.client import Client

with Client.from_folder("my-system") as client:
    answer = client.call("H11.05/land/parcels-v1", "GET", "/parcels/1", purpose="land-procedure")

Names are imported when first used, so that the `lienthong` command starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.client.answers import Accepted as Accepted
    from lienthong.client.answers import Acknowledgement as Acknowledgement
    from lienthong.client.answers import Answer as Answer
    from lienthong.client.answers import Application as Application
    from lienthong.client.answers import Pulled as Pulled
    from lienthong.client.async_client import AsyncClient as AsyncClient
    from lienthong.client.credentials import Credentials as Credentials
    from lienthong.client.errors import ConflictError as ConflictError
    from lienthong.client.errors import CredentialsError as CredentialsError
    from lienthong.client.errors import ForbiddenError as ForbiddenError
    from lienthong.client.errors import InputError as InputError
    from lienthong.client.errors import InvalidError as InvalidError
    from lienthong.client.errors import LienthongError as LienthongError
    from lienthong.client.errors import ManifestError as ManifestError
    from lienthong.client.errors import NotAGatewayError as NotAGatewayError
    from lienthong.client.errors import NotFoundError as NotFoundError
    from lienthong.client.errors import NotYetRecordedError as NotYetRecordedError
    from lienthong.client.errors import RefusedError as RefusedError
    from lienthong.client.errors import UnauthenticatedError as UnauthenticatedError
    from lienthong.client.errors import UnavailableError as UnavailableError
    from lienthong.client.errors import UnreachableError as UnreachableError
    from lienthong.client.errors import VerificationError as VerificationError
    from lienthong.client.sync_client import Client as Client

_HOMES = {
    "answers": ("Accepted", "Acknowledgement", "Answer", "Application", "Pulled"),
    "async_client": ("AsyncClient",),
    "credentials": ("Credentials",),
    "errors": (
        "ConflictError",
        "CredentialsError",
        "ForbiddenError",
        "InputError",
        "InvalidError",
        "LienthongError",
        "ManifestError",
        "NotAGatewayError",
        "NotFoundError",
        "NotYetRecordedError",
        "RefusedError",
        "UnauthenticatedError",
        "UnavailableError",
        "UnreachableError",
        "VerificationError",
    ),
    "sync_client": ("Client",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)

if not TYPE_CHECKING:  # a type checker that saw this would believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
