"""Which fields of answers leave under an agreement: a part of its manifest."""

from collections.abc import Collection, Iterator
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator

from lienthong.catalog.domain.operation_names import operation_name
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.schemas.fields import checked, unique
from lienthong.catalog.schemas.messages import pydantic_error
from lienthong.kit.field_paths import EVERY_OPERATION, FieldPathError, tree
from lienthong.kit.text import BilingualText

MAX_PATHS: Final = 200
"""Paths of one operation."""
MAX_ALL_PATHS: Final = 1000
"""Paths of all operations together: every gateway is sent them."""
MAX_OPERATIONS: Final = 64


def _readable(paths: list[str]) -> list[str]:
    try:
        tree(paths)
    except FieldPathError as error:
        raise InvalidValueError(error.text.en, error.text.vi) from None
    return paths


def _few(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    if sum(map(len, fields.values())) > MAX_ALL_PATHS:
        raise InvalidValueError(
            f"has more than {MAX_ALL_PATHS} paths together; name whole objects, or make several agreements",
            f"có tổng cộng hơn {MAX_ALL_PATHS} đường dẫn; hãy nêu cả đối tượng hoặc lập nhiều thoả thuận",
        )
    return fields


def _apart(value: object, read: ValidatorFunctionWrapHandler) -> object:
    fields = read(value)
    if isinstance(value, dict) and len(fields) < len(value):
        raise pydantic_error(
            InvalidValueError(
                "names an operation twice, in two spellings; keep one",
                "nêu một thao tác hai lần theo hai cách viết; chỉ giữ một",
            )
        )
    return fields


def _readable_path(path: str) -> str:
    _readable([path])
    return path


_Path: TypeAlias = Annotated[str, checked(_readable_path)]


def _named(operation: str) -> str:
    return operation if operation == EVERY_OPERATION else operation_name(operation)


_Operation: TypeAlias = Annotated[str, checked(_named)]
AnswerFields: TypeAlias = Annotated[
    dict[
        _Operation,
        Annotated[
            list[_Path],
            Field(min_length=1, max_length=MAX_PATHS),
            AfterValidator(unique),
            checked(_readable),
        ],
    ],
    Field(
        min_length=1,
        max_length=MAX_OPERATIONS,
        description="What leaves of answers, by operation: paths like `owners[*].fullName`.",
    ),
    checked(_few),
    WrapValidator(_apart),
]
"""By operationId, or `*` for all that are not named, the paths of what leaves of its answers."""


def uncovered(fields: Collection[str], operations: Collection[str] | None) -> Iterator[Violation]:
    """Yield what `fields` leaves open: each operation (None: all) has to be named, or `*`."""
    if operations is None:
        if EVERY_OPERATION not in fields:
            yield _open("'*', as the agreement allows all operations", "'*', vì thoả thuận cho mọi thao tác")
        return
    if EVERY_OPERATION not in fields:
        for name in operations:
            if name not in fields:
                yield _open(f"'{name}' too, or '*'", f"cả '{name}', hoặc '*'")
    for name in fields:
        if name != EVERY_OPERATION and name not in operations:
            yield Violation(
                ("fields", name),
                BilingualText(
                    "the agreement does not allow this operation; leave it out",
                    "thoả thuận không cho phép thao tác này; hãy bỏ đi",
                ),
            )


def _open(en: str, vi: str) -> Violation:
    return Violation(
        ("fields",),
        BilingualText(
            f"does not say what leaves of every operation's answers; name {en} ('$' is the whole answer)",
            f"chưa nêu phần được chuyển đi của trả lời của mọi thao tác; hãy nêu {vi} ('$' là toàn bộ)",
        ),
    )
