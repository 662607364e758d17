"""`python -m lienthong.ledger`."""

import sys

from lienthong.kit.loading import uncollected

with uncollected():
    import structlog

    from lienthong.kit.logs import configure_logs
    from lienthong.kit.process import run
    from lienthong.kit.text import BilingualText
    from lienthong.ledger.bootstrap import PROCESS, serve
    from lienthong.ledger.errors import LedgerMismatchError, SigningKeyFileError
    from lienthong.ledger.settings import LedgerSettings

DOES = BilingualText(
    "The audit ledger: search, proofs and receipts of everything that went through the platform.",
    "Nhật ký kiểm toán: tra cứu, bằng chứng và biên nhận của mọi giao dịch qua nền tảng.",
)


async def _main() -> None:
    settings = LedgerSettings()
    configure_logs(PROCESS, settings.log_level, settings.log_format)
    try:
        await serve(settings)
    except LedgerMismatchError as error:
        said = error.said
        structlog.get_logger(__name__).error("the ledger does not run", reason=said.en, reason_vi=said.vi)
        sys.exit(1)
    except SigningKeyFileError as error:
        structlog.get_logger(__name__).error("the ledger does not run", reason=str(error))
        sys.exit(1)


if __name__ == "__main__":
    run(_main, module="lienthong.ledger", does=DOES)
