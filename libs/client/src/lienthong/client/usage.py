"""Messages about wrong usage of the command, in both languages.

The library that reads the command line has English messages alone; the usual ones are translated here.
"""

from __future__ import annotations

import re

from lienthong.client.errors import Text

_SENTENCES = (
    (r"Missing option (.+)\.", r"Thiếu tuỳ chọn \1."),
    (r"Missing argument (.+)\.", r"Thiếu tham số \1."),
    (r"No such option: (\S+)", r"Không có tuỳ chọn \1."),
    (r"No such command (.+)\.", r"Không có lệnh \1."),
    (r"Got unexpected extra argument\(s\) \((.+)\)", r"Thừa tham số: \1."),
    (r"Option (.+) requires an argument\.", r"Tuỳ chọn \1 cần một giá trị."),
    (r"Option (.+) does not take a value\.", r"Tuỳ chọn \1 không nhận giá trị."),
    (r"Invalid value for (.+?): (.+)", r"Giá trị của \1 không hợp lệ: \2"),
)
_NEAR = re.compile(r"(?P<said>.+?) (?:Did you mean (?P<one>.+)\?|\(Possible options: (?P<several>.+)\))")


def bilingual_usage(message: str) -> Text:
    """A message of the library in both languages; one that is not known stays English."""
    near = _NEAR.fullmatch(message)
    said = near["said"] if near else message
    for english, vietnamese in _SENTENCES:
        found = re.fullmatch(english, said, re.DOTALL)
        if found:
            meant = f" Ý bạn là {near['one'] or near['several']}?" if near else ""
            return Text(found.expand(vietnamese) + meant, message)
    return Text(message, message)
