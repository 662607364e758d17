"""Values as YAML that `read` reads back as they were."""

from __future__ import annotations

import re

import yaml

from lienthong.client.manifests.positions import NUMBER


class _Dumper(yaml.SafeDumper):
    """Puts text that looks like a number into quotes.

    PyYAML knows the numbers of YAML 1.1, where `1e5` is text and needs none; by the schema of `read` it is a
    number.
    """


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(rf"(?:{NUMBER.pattern})\Z"), list("-0123456789")
)


def as_yaml(value: object, *, width: int = 110) -> str:
    """A value of JSON as YAML, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=width)
    return text
