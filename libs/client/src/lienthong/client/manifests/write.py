"""Values as YAML that `read` reads back as they were, and readers of YAML 1.1 likewise."""

from __future__ import annotations

import yaml

from lienthong.client.manifests import core_schema


class _Dumper(yaml.SafeDumper):
    """Puts text into quotes that would be something else by YAML 1.1, which PyYAML knows, or by YAML 1.2."""


core_schema.teach(_Dumper)


def as_yaml(value: object, *, width: int = 110) -> str:
    """A value of JSON as YAML, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=width)
    return text
