"""What is said when the ledger does not continue what was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.client.errors import (
    ForkedLedgerError,
    KeptCheckpointError,
    LedgerKeyChangedError,
    RolledBackLedgerError,
    Text,
)
from lienthong.tlog.errors import ShorterLogError

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.client.errors import VerificationError
    from lienthong.tlog.errors import ForkedLogError
    from lienthong.tlog.note import VerifierKey


def unreadable(path: Path, error: Exception) -> KeptCheckpointError:
    """That the file of the kept checkpoint is damaged."""
    return KeptCheckpointError(
        Text("Điểm kiểm đã giữ không đọc được", "The checkpoint that was kept cannot be read"),
        Text(f"{path}: {error}", f"{path}: {error}"),
        Text(
            "Chưa biết sổ có nối tiếp những gì đã thấy hay không. Giữ tệp lại, so với điểm kiểm của người "
            "khác; khi đã rõ: lienthong audit accept --reason LÝ_DO",
            "Whether the ledger continues what was seen is not known. Keep the file and compare with "
            "somebody else's checkpoint; once that is clear: lienthong audit accept --reason WHY",
        ),
    )


def key_changed(key: VerifierKey, kept: Path) -> LedgerKeyChangedError:
    """That the server gives another key than the one of the checkpoint that was kept."""
    return LedgerKeyChangedError(
        Text("Máy chủ đưa khoá khác của sổ", "The server gives another key of the ledger"),
        Text(
            f"Máy này đã thấy sổ {key.name} ký bằng khoá khác ({kept}); máy chủ nay đưa khoá {key}: ai quay "
            "sổ về bản cũ cũng có thể đổi khoá.",
            f"The ledger {key.name} was seen from here signed with another key ({kept}); now the server "
            f"gives {key}: whoever rolls a ledger back can change its key, too.",
        ),
        Text(
            "Hỏi đơn vị vận hành trục khoá đúng và dùng --key KHOÁ. Chỉ khi họ xác nhận đã đổi khoá: "
            "lienthong audit accept --reason LÝ_DO",
            "Ask the operator of the bus for the right key and give it with --key KEY. Only when they "
            "confirm that the key was changed: lienthong audit accept --reason WHY",
        ),
        key=key,
    )


def refusal(error: ShorterLogError | ForkedLogError, kept: Path, evidence: Text) -> VerificationError:
    """That the ledger was rolled back or has forked; `evidence` names the file of the refused checkpoint."""
    files = Text(f"Bằng chứng: {kept} và {evidence.vi}.", f"Evidence: {kept} and {evidence.en}.")
    advice = Text(
        f"{files.vi} Giữ cả hai tệp, giữ nguyên hiện trạng, báo bộ phận an toàn thông tin và đơn vị vận "
        "hành trục. Chỉ khi họ xác nhận đã phục hồi có chủ đích: lienthong audit accept --reason LÝ_DO",
        f"{files.en} Keep both files and everything as it is, and tell the security staff and the operator "
        "of the bus. Only when they confirm a restore that was meant: lienthong audit accept --reason WHY",
    )
    if isinstance(error, ShorterLogError):
        return RolledBackLedgerError(
            Text("Sổ nhật ký đã ngắn đi", "The ledger has become shorter"),
            Text(
                f"Máy này đã thấy {error.seen} bản ghi có chữ ký, nay sổ chỉ có {error.found}: sổ đã bị quay "
                "về bản cũ, các bản ghi sau đó đã mất.",
                f"{error.seen} signed records were seen from here, and now it has {error.found}: it was "
                "rolled back to an older copy, and the records after that are gone.",
            ),
            advice,
        )
    return ForkedLedgerError(
        Text("Sổ nhật ký đã rẽ nhánh", "The ledger has forked"),
        Text(
            f"Sổ {error.found} bản ghi này không nối tiếp {error.seen} bản ghi đã thấy: có bản ghi đã thấy "
            f"nay bị sửa hoặc không còn ({error.why}).",
            f"This ledger of {error.found} records does not continue the {error.seen} that were seen: "
            f"records that were in it are changed or gone ({error.why}).",
        ),
        advice,
    )
