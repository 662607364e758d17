"""The gRPC keys of one installation, for peers that a test plays and the processes that meet them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from lienthong.kit.rpc_trust import RpcTrust


@cache
def rpc_trust() -> RpcTrust:
    """One for all tests of this process; `LIENTHONG_RPC_DIR` is its folder."""
    folder = Path(tempfile.mkdtemp(prefix="lienthong-rpc-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return RpcTrust.load(folder / "rpc")
