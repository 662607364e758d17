"""The context attributes of an event: CloudEvents' type system (specification 1.0.2, section 3.1).

A value is a Boolean, an Integer or text: String, Binary (Base64), URI, URI-reference and Timestamp are all
text. In JSON a Boolean and an Integer keep their type. In an HTTP header every value is text, in the
canonical form of its type, and nothing says which type that was. So two attributes are the same when their
canonical texts are.
"""

from __future__ import annotations

import re

from lienthong.kit.clock import parse_rfc3339

AttributeValue = str | int | bool

REQUIRED = ("id", "source", "type")
MAX_LENGTH = 1024
"""How many characters a value may have."""
MAX_ATTRIBUTES = 50
"""How many attributes an event may have."""

# Attributes that the specification itself declares as text.
_TEXT = {*REQUIRED, "subject", "time", "datacontenttype", "dataschema"}
_NOT_EMPTY = {*REQUIRED, "subject", "datacontenttype", "dataschema"}
_NAME = re.compile(r"[a-z0-9]{1,64}")
# Section 3.1, String: control characters, surrogates and noncharacters are not allowed.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_JSON = "application/json"
_QUOTE = '"'


def canonical(name: str, value: AttributeValue) -> str:
    """The canonical text of a value, equal in every content mode.

    `true` and `false` for a Boolean, digits for an Integer; `datacontenttype` as `canonical_media_type` says.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if name == "datacontenttype":
        return canonical_media_type(text)
    # CloudEvents' Python SDK (2.2.0) writes a Boolean into a header as Python does.
    return text if name in _TEXT else {"True": "true", "False": "false"}.get(text, text)


def canonical_media_type(media_type: str) -> str:
    """A media type in lower case and without `charset`, as JSON is always UTF-8 (RFC 8259, section 8.1)."""
    essence, *parameters = (part.strip() for part in media_type.split(";"))
    kept = []
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        name = name.strip().lower()
        if name and name != "charset":
            kept.append(f"{name}={value.strip().strip(_QUOTE)}")
    return ";".join([essence.lower(), *sorted(kept)])


def is_default_content_type(name: str, text: str) -> bool:
    """Whether a canonical attribute says what an event without it says too: JSON format, section 3.1.1."""
    return name == "datacontenttype" and text == _JSON


def is_json_type(media_type: str) -> bool:
    """Whether a media type says JSON in UTF-8 (RFC 6839, section 3.1)."""
    essence, _, parameters = media_type.partition(";")
    essence = essence.strip().lower()
    charset = re.search(r'charset\s*=\s*"?([^";\s]+)', parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        return False
    return essence == _JSON or essence.endswith("+json")


def violation_in(name: str, value: object) -> str | None:
    """What is wrong with an attribute, to be read after its name (`must be a string`); None if nothing is."""
    if not _NAME.fullmatch(name):
        return "is not a name of 1 to 64 characters from a-z and 0-9"
    if isinstance(value, int) and name in _TEXT:
        return "must be a string"
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -(2**31) <= value < 2**31 else "an integer attribute has 32 bits; use a string"
    if not isinstance(value, str):
        return "must be a string, an integer or a boolean"
    return _violation_in_text(name, value)


def _violation_in_text(name: str, value: str) -> str | None:
    if len(value) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if _FORBIDDEN.search(value):
        return "contains a control character or another character that CloudEvents does not allow"
    if not value and name in _NOT_EMPTY:
        return "must not be empty"
    if name == "time":
        return _violation_in_time(value)
    if name == "datacontenttype" and not is_json_type(value):
        return "must be application/json (or another +json type): events carry JSON"
    return None


def _violation_in_time(value: str) -> str | None:
    try:
        parse_rfc3339(value)
    except ValueError as error:
        return f"is no time: {error}"
    return None
