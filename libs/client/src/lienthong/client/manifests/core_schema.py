"""What plain text in YAML means: the core schema of YAML 1.2 (§10.3).

`true`, `True`, `NULL`, `0o17` and `1e3` are what they look like; `on`, `yes`, `no`, `1:30` and `2026-01-01`,
of which YAML 1.1 made something else, are text. There is one exception: a number with zeros in front, such as
the code `0123`, stays the text that was written, because as a number it would lose them.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, TypeAlias

import yaml

if TYPE_CHECKING:
    from yaml.resolver import BaseResolver

Scalar: TypeAlias = str | int | float | bool | None

TAG: Final = "tag:yaml.org,2002:"
MERGE: Final = f"{TAG}merge"
"""`<<`, of YAML 1.1: not in the core schema, and used by many."""

_MOST_DIGITS: Final = 4_000
"""Python makes no integer of more than 4,300 digits."""

_NULL, _BOOL, _INT, _FLOAT, _STR = (f"{TAG}{name}" for name in ("null", "bool", "int", "float", "str"))
_BASES: Final = {"0o": 8, "0x": 16}
_DIGITS: Final = "-+.0123456789"
_PLAIN: Final = (
    (_NULL, re.compile(r"(?:null|Null|NULL|~|)\Z"), ["n", "N", "~", ""]),
    (_BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    (_INT, re.compile(r"(?:[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+)\Z"), list(_DIGITS)),
    (
        _FLOAT,
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
        ),
        list(_DIGITS),
    ),
)


class NotOfItsTagError(ValueError):
    """A scalar is not what its tag says, such as `!!int many`, or the tag is none of the core schema."""


class NoSuchNumberError(ValueError):
    """JSON has no such number, or most readers of JSON cannot hold it: `.inf`, `.nan`, `1e999`."""


class Loader(yaml.BaseLoader):
    """Nodes of YAML with the tags of the core schema."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node. An anchor may be used again: an alias means the last before it (§7.1)."""
        if not self.check_event(yaml.AliasEvent):
            self.anchors.pop(self.current_event.anchor, None)
        return super().compose_node(parent, index)


_Fast = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml may be missing


class FastLoader(_Fast):  # type: ignore[misc,valid-type] # which one it is, is known when it runs
    """The same with libyaml: faster, but it takes no anchor that is used again and no surrogate pairs."""


def teach(resolver: type[BaseResolver]) -> None:
    """Let a resolver of PyYAML know plain text as the core schema does, besides what it knows already."""
    for tag, pattern, first in _PLAIN:
        resolver.add_implicit_resolver(tag, pattern, first)


for _loader in (Loader, FastLoader):
    teach(_loader)
    _loader.add_implicit_resolver(MERGE, re.compile(r"<<\Z"), ["<"])


def value(node: yaml.ScalarNode) -> Scalar:
    """Return what a scalar means by its tag, written or found by `Loader`.

    Raises:
        NotOfItsTagError: it is not what its tag says.
        NoSuchNumberError: JSON cannot hold it.
    """
    text: str = node.value
    if node.tag in {_STR, MERGE}:
        return text
    pattern = next((pattern for tag, pattern, _ in _PLAIN if tag == node.tag), None)
    if pattern is None or not pattern.match(text):
        raise NotOfItsTagError(node.tag)
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return text.lower() == "true"
    if len(text) > _MOST_DIGITS:
        raise NoSuchNumberError(text[:20])
    if node.tag == _INT:
        return int(text, _BASES.get(text[:2], 10))
    number = math.inf if text[-1].isalpha() else float(text)
    if math.isinf(number):
        raise NoSuchNumberError(text[:20])
    return number
