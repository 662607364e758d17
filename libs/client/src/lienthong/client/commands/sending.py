"""Manifests that are sent to the catalog: its mistakes are named by file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lienthong.client.errors import ConflictError, InvalidError, ManifestError, Mistake, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.client.errors import LienthongError
    from lienthong.client.manifests.load import Manifests

T = TypeVar("T")


def sent(manifests: Manifests, send: Callable[[], T]) -> T:
    """What the catalog answers; raises `ManifestError` or `ConflictError` with places in files."""
    try:
        return send()
    except InvalidError as error:
        raise mistaken(manifests.locate(error.mistakes)) from error
    except ConflictError as error:
        error.mistakes = tuple(_in_order(manifests.locate(error.mistakes)))
        if error.mistakes:
            error.detail = None
        raise


def mistaken(mistakes: list[Mistake]) -> LienthongError:
    """The error that names these mistakes."""
    count = len(mistakes)
    mistakes_en = "1 mistake" if count == 1 else f"{count} mistakes"
    return ManifestError(
        Text(f"{count} lỗi trong tệp YAML, chưa ghi gì", f"{mistakes_en} in the YAML, nothing was written"),
        advice=Text("Sửa các dòng trên rồi chạy lại lệnh.", "Correct these lines and run the command again."),
        mistakes=_in_order(mistakes),
    )


def _in_order(mistakes: list[Mistake]) -> list[Mistake]:
    return sorted(mistakes, key=lambda mistake: (mistake.file or "", mistake.line or 0, mistake.column or 0))
