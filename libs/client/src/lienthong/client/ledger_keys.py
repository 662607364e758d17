"""Which public key of the ledger to trust."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.client import folders, operations
from lienthong.client.checkpoint_refusals import key_changed
from lienthong.client.errors import InputError, Text
from lienthong.client.kept_checkpoints import KeptCheckpoint
from lienthong.client.verification import read_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.client.sync_client import Client
    from lienthong.tlog.note import VerifierKey


def ledger_key(
    given: str | None, client: Client | None = None, warn: Callable[[Text], None] | None = None
) -> VerifierKey:
    """The key given (as text or as a file), else the one kept on this machine, else the server's own.

    The server's own key proves less, for who changes the ledger can change the key beside it: `warn` is
    called with that. Where the log was seen under another key only, `LedgerKeyChangedError` is raised.
    Without a client there is none to ask, and `InputError` says how to give a key.
    """
    if given is not None:
        return read_key(_text(given))
    kept = folders.home() / "ledger" / "ledger.vkey"
    if kept.is_file():
        return read_key(_text(str(kept)))
    if client is None:
        raise InputError(
            Text("Cần khoá công khai của sổ", "The ledger's public key is needed"),
            Text(f"Không có {kept}.", f"There is no {kept}."),
            Text("Thêm --key KHOÁ hoặc --key TỆP.", "Add --key KEY or --key FILE."),
            code="no-key",
        )
    if warn is not None:
        warn(
            Text(
                "! khoá lấy từ chính máy chủ; để chắc chắn, dùng --key với khoá nhận bằng đường khác",
                "the key came from the server itself; to be sure, use --key with one that came another way",
            )
        )
    key = read_key(client.perform(operations.audit_file("key", public=True)).decode(errors="replace"))
    seen = KeptCheckpoint.of(key)
    others = [] if seen.path.exists() else seen.under_other_keys()
    if others:
        raise key_changed(key, others[0])
    return key


def _text(given: str) -> str:
    path = Path(given).expanduser()
    try:
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            Text("Không đọc được khoá", "The key cannot be read"),
            Text(f"{path}: {error}", f"{path}: {error}"),
        ) from error
    if given.count("+") < 2:
        raise InputError(
            Text("Không có tệp khoá này", "There is no such key file"),
            Text(given, given),
            code="no-such-file",
        )
    return given
