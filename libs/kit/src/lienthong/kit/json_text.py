"""Strict JSON: what is read here, every other reader reads the same way (RFC 8259, and RFC 7493, I-JSON).

Duplicate member names, NaN, infinite numbers, lone surrogates, NUL characters and very deep nesting are taken
by one JSON reader or database and refused, or changed, by another.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache, partial
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_pointer import JsonPath

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]

MAX_DEPTH: Final = 64
"""How deep objects and arrays may be nested."""


class NotJsonError(ValueError):
    """The text is not JSON, or JSON that two readers could understand differently; `text` says why."""

    def __init__(self, en: str, vi: str) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)


def decode(data: bytes, *, most_members: int | None = None, most_entries: int | None = None) -> Json:
    """Read JSON text in UTF-8. The size of `data` must have been limited before.

    `most_members` limits each object and `most_entries` each array, ten times as many all arrays and objects
    together: to say what is wrong with 100,000 unknown members takes a model seconds. `not_portable` names
    what may still be wrong with the value, each with its place.

    Raises:
        NotJsonError: not UTF-8, not JSON, a member name twice in one object, an object with too many members,
            an array with too many entries, too many values, NaN or Infinity, or a whole number of more digits
            than Python reads (4,300).
    """
    try:
        value = (_DECODER if most_members is None else _small(most_members)).decode(data.decode("utf-8"))
    except RecursionError:
        raise NotJsonError(*_TOO_DEEP) from None
    except UnicodeDecodeError as error:
        raise NotJsonError(
            f"not UTF-8 text: the byte at offset {error.start} is wrong",
            f"không phải văn bản UTF-8: byte ở vị trí {error.start} không hợp lệ",
        ) from None
    except json.JSONDecodeError as error:
        raise NotJsonError(
            f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            f"không phải JSON: lỗi ở dòng {error.lineno}, cột {error.colno} ({error.msg})",
        ) from None
    except NotJsonError:
        raise
    except ValueError:
        raise NotJsonError("a number has too many digits", "một số có quá nhiều chữ số") from None
    if most_entries is not None:
        _check_entries(value, most_entries)
    return value


def not_portable(value: Json, *, allow_nul: bool = False) -> Iterator[tuple[JsonPath, BilingualText]]:
    """Name each place of a decoded value that another reader, or a database, could not take as it is.

    `allow_nul` is for text that no database has to keep: PostgreSQL refuses NUL characters.
    """
    unwanted = _SURROGATES if allow_nul else _SURROGATES_AND_NUL
    # Nearly all values are portable, and tracking the path of every node costs as much as parsing the text.
    if not _is_portable(value, unwanted):
        yield from _places(value, unwanted)


def is_portable_text(text: str) -> bool:
    """Tell whether every reader and database takes a text as it is: no NUL, no half of a surrogate pair."""
    return _SURROGATES_AND_NUL.search(text) is None


def canonical(value: Json) -> str:
    """Write a value so that equal values, and only these, give equal text (`1`, `1.0` and `true` differ)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def size(value: Json) -> int:
    """Return the bytes of the compact text of a value."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


_TOO_DEEP: Final = (
    f"nested more than {MAX_DEPTH} levels deep; flatten it",
    f"lồng nhau quá {MAX_DEPTH} cấp; hãy giảm số cấp",
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SURROGATES_AND_NUL: Final = re.compile("[\0\ud800-\udfff]")
_CHARACTERS: Final = BilingualText(
    "holds a NUL character or half of a surrogate pair; remove it",
    "có ký tự NUL hoặc nửa cặp surrogate; hãy bỏ đi",
)


def _is_portable(value: Json, unwanted: re.Pattern[str]) -> bool:
    level = [value]
    for depth in count():
        objects = [node for node in level if isinstance(node, dict)]
        arrays = [node for node in level if isinstance(node, list)]
        if depth == MAX_DEPTH and (objects or arrays):
            return False
        texts = chain((node for node in level if isinstance(node, str)), chain.from_iterable(objects))
        if unwanted.search("".join(texts)):
            return False
        if not all(math.isfinite(node) for node in level if isinstance(node, float)):
            return False
        if not objects and not arrays:
            break
        level = [*chain.from_iterable(node.values() for node in objects), *chain.from_iterable(arrays)]
    return True


def _places(value: Json, unwanted: re.Pattern[str]) -> Iterator[tuple[JsonPath, BilingualText]]:
    stack: list[tuple[JsonPath, Json]] = [((), value)]
    while stack:
        path, node = stack.pop()
        if len(path) >= MAX_DEPTH and isinstance(node, dict | list):
            yield path, BilingualText(*_TOO_DEEP)
        elif isinstance(node, dict):
            for name, member in node.items():
                if unwanted.search(name):
                    yield path, _CHARACTERS
                stack.append(((*path, name), member))
        elif isinstance(node, list):
            stack.extend(((*path, index), item) for index, item in enumerate(node))
        elif isinstance(node, str) and unwanted.search(node):
            yield path, _CHARACTERS
        elif isinstance(node, float) and not math.isfinite(node):
            yield path, BilingualText("the number is too large", "số quá lớn")


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NotJsonError(
            f"an object names the member '{shown(twice)}' twice; keep one",
            f"một đối tượng có trường '{shown(twice)}' hai lần; chỉ giữ một",
        )
    return members


def _small_object(most: int, pairs: list[tuple[str, Json]]) -> JsonObject:
    if len(pairs) > most:
        raise NotJsonError(
            f"an object has {len(pairs)} members; at most {most} are read",
            f"một đối tượng có {len(pairs)} trường; chỉ đọc tối đa {most}",
        )
    return _object(pairs)


def _check_entries(value: Json, most: int) -> None:
    stack = [value]
    in_all = 0
    while stack:
        node = stack.pop()
        in_all += len(node) if isinstance(node, dict | list) else 0
        if in_all > 10 * most:
            raise NotJsonError(
                f"it holds more than {10 * most} values; send less",
                f"có hơn {10 * most} giá trị; hãy gửi ít hơn",
            )
        if isinstance(node, dict):
            stack.extend(member for member in node.values() if isinstance(member, dict | list))
        elif isinstance(node, list):
            if len(node) > most:
                raise NotJsonError(
                    f"an array has {len(node)} entries; at most {most} are read",
                    f"một mảng có {len(node)} phần tử; chỉ đọc tối đa {most}",
                )
            stack.extend(item for item in node if isinstance(item, dict | list))


def _constant(text: str) -> NoReturn:
    raise NotJsonError(f"'{text}' is not a JSON number", f"'{text}' không phải là số trong JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
"""Made once, for that takes longer than reading a small text."""


@cache
def _small(most: int) -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=partial(_small_object, most), parse_constant=_constant)
