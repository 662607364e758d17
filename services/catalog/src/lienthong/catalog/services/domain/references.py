"""References inside an OpenAPI document (`$ref`): followed where they stay in the document, never fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lienthong.catalog.errors import InvalidValueError
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from lienthong.kit.json_text import Json, JsonObject

REF: Final = "$ref"
MOST_STEPS: Final = 8
"""References that lead to references, one after the other."""

TOO_FAR: Final = BilingualText(
    f"refers on and on, to itself or through more than {MOST_STEPS} references; refer to the thing itself",
    f"trỏ vòng về chính nó hoặc qua hơn {MOST_STEPS} tham chiếu; hãy trỏ thẳng tới mục cần dùng",
)
_LONGEST: Final = 2_000
_INDEX: Final = re.compile(r"0|[1-9][0-9]*")


class References:
    """The references of one document."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document

    def resolved(self, node: JsonObject) -> JsonObject:
        """Return an object or, where it is a reference, the object that it leads to in the end.

        Raises:
            InvalidValueError: as `value`; or it leads to no object.
        """
        found = self.value(node)
        if not isinstance(found, dict):
            said = shown(str(node.get(REF)), 100)
            raise InvalidValueError(
                f"'{said}' leads to something that is no object; correct it",
                f"'{said}' dẫn đến giá trị không phải đối tượng; hãy sửa lại",
            )
        return found

    def value(self, node: Json) -> Json:
        """Return a value or, where it is a reference, what it leads to in the end.

        Members beside `$ref` do not count.

        Raises:
            InvalidValueError: a reference is none, leads out of the document, to nothing in it, or round in a
                circle.
        """
        for _ in range(MOST_STEPS + 1):
            if not isinstance(node, dict) or REF not in node:
                return node
            node = self.follow(node[REF])
        raise InvalidValueError(TOO_FAR.en, TOO_FAR.vi)

    def follow(self, reference: Json) -> Json:
        """Return what one reference names: a JSON pointer as a fragment (RFC 6901 §6).

        Raises:
            InvalidValueError: it is none, leads out of the document, or to nothing in it.
        """
        if not isinstance(reference, str) or len(reference) > _LONGEST:
            raise InvalidValueError(
                f"a reference is text of at most {_LONGEST} characters, like '#/components/pathItems/Parcel'",
                f"tham chiếu là văn bản không quá {_LONGEST} ký tự, như '#/components/pathItems/Parcel'",
            )
        said = shown(reference, 100)
        if not reference.startswith("#"):
            raise InvalidValueError(
                f"'{said}' is in another document, and nothing is fetched; bundle all parts into one "
                f"document (for example with 'redocly bundle') and apply that",
                f"'{said}' nằm trong tài liệu khác, danh mục không tải gì về; hãy gộp mọi phần vào một tài "
                f"liệu (ví dụ bằng 'redocly bundle') rồi áp dụng tài liệu đó",
            )
        try:
            return _at(self._document, unquote(reference[1:], errors="strict"))
        except (LookupError, ValueError):
            raise InvalidValueError(
                f"'{said}' leads to nothing in this document; correct it",
                f"'{said}' không dẫn đến mục nào trong tài liệu này; hãy sửa lại",
            ) from None


def _at(document: Json, pointer: str) -> Json:
    # The library `referencing` also takes -1 and 01 for places of a list, and places in text.
    found = document
    if pointer and not pointer.startswith("/"):
        raise ValueError(pointer)
    for word in pointer.split("/")[1:]:
        name = word.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found[name]
        elif isinstance(found, list) and _INDEX.fullmatch(name):
            found = found[int(name)]
        else:
            raise KeyError(name)
    return found
