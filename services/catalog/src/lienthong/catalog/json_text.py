"""JSON as it comes in from outside: what databases, other languages and diffs cannot hold is refused here.

Duplicate member names, NaN and infinite numbers, lone surrogates, NUL characters and absurd nesting are all
legal to some JSON reader and poison to another.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from lienthong.catalog.mistakes import Found, ValueRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.catalog.mistakes import Path

Json = Any
JsonObject = dict[str, Any]

MAX_DEPTH = 64


def decode(data: bytes) -> Json:
    """Read JSON text (RFC 8259, UTF-8).

    Raises:
        ValueRefusedError: it is not JSON, or an object names a member twice.
    """
    try:
        return json.loads(data, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise ValueRefusedError("the JSON is nested too deeply", "JSON lồng nhau quá sâu") from None
    except UnicodeDecodeError:
        raise ValueRefusedError("the body is not UTF-8 text", "nội dung không phải văn bản UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueRefusedError(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            f"nội dung không phải JSON: lỗi ở dòng {error.lineno}, cột {error.colno} ({error.msg})",
        ) from None
    except ValueRefusedError:
        raise
    except ValueError:
        # Python reads no integer of more than 4,300 digits.
        raise ValueRefusedError("a number has too many digits", "một số có quá nhiều chữ số") from None


def findings(value: Json) -> Iterator[Found]:
    """Name each place of a decoded value that could not be kept as it is."""
    stack: list[tuple[Path, Json]] = [((), value)]
    while stack:
        path, node = stack.pop()
        if len(path) > MAX_DEPTH:
            yield Found(
                path[:MAX_DEPTH],
                f"nested deeper than {MAX_DEPTH} levels; flatten it",
                f"lồng sâu hơn {MAX_DEPTH} cấp; hãy làm phẳng lại",
            )
        elif isinstance(node, dict):
            for name, member in node.items():
                if not _storable(name):
                    yield Found(path, *_UNSTORABLE)
                stack.append(((*path, name), member))
        elif isinstance(node, list):
            stack.extend(((*path, index), item) for index, item in enumerate(node))
        elif isinstance(node, str) and not _storable(node):
            yield Found(path, *_UNSTORABLE)
        elif isinstance(node, float) and not math.isfinite(node):
            yield Found(path, "the number is too large", "số quá lớn")


def canonical(value: Json) -> str:
    """Write a value so that equal values, and only these, give equal text (`1`, `1.0` and `true` differ)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def size(value: Json) -> int:
    """Return the bytes of the compact text of a value."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


_UNSTORABLE = (
    "holds a NUL character or half of a surrogate pair; remove it",
    "có ký tự NUL hoặc nửa cặp surrogate; hãy bỏ đi",
)


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueRefusedError(
            f"an object names the member '{twice}' twice; keep one",
            f"một đối tượng có trường '{twice}' hai lần; chỉ giữ một",
        )
    return members


def _constant(text: str) -> NoReturn:
    raise ValueRefusedError(f"'{text}' is not a JSON number", f"'{text}' không phải số trong JSON")
