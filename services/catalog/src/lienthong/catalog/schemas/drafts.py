"""From the JSON that was sent to drafts: what could be read of each manifest, and every mistake in it.

A draft with mistakes still says what it is about, so that the manifests that refer to it are not blamed as
well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from lienthong.catalog import json_text, openapi
from lienthong.catalog.kinds import Kind
from lienthong.catalog.mistakes import Mistake, ValueRefusedError, pointer
from lienthong.catalog.schemas.fields import Part
from lienthong.catalog.schemas.specs import SPECS, Reference
from lienthong.catalog.schemas.wording import words

if TYPE_CHECKING:
    from collections.abc import Collection

    from lienthong.catalog.json_text import Json, JsonObject
    from lienthong.catalog.kinds import Key
    from lienthong.catalog.mistakes import Path
    from lienthong.catalog.openapi import Operation

API_VERSION = "lienthong/v1"
MAX_MANIFESTS = 2000


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be read of one manifest.

    `spec` is the canonical spec (defaults filled in, codes in their one form), or None where something is
    wrong. `id` is then perhaps only a name that nothing else has. `at` and `id_at` are where the spec and the
    id stand in what was sent.
    """

    kind: Kind
    id: str
    at: Path
    id_at: Path
    spec: JsonObject | None
    references: tuple[Reference, ...] = ()
    operations: tuple[Operation, ...] = ()

    @property
    def key(self) -> Key:
        """What the draft is about."""
        return self.kind, self.id


class Metadata(Part):
    """What names a resource. Only `id` is written; the rest is what reading adds and is ignored."""

    id: str
    version: Any = None
    created_at: Any = None
    updated_at: Any = None


class Manifest(Part):
    """The outside of a manifest. `status`, `operations`, `decisions` are what reading adds: ignored."""

    api_version: Literal["lienthong/v1"]
    kind: Literal["Agency", "System", "Service", "EventType", "Agreement"]
    metadata: Metadata
    spec: dict[str, Any]
    status: Any = None
    operations: Any = None
    decisions: Any = None

    @field_validator("*", mode="wrap")
    @classmethod
    def _remember(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        result = handler(value)
        if isinstance(info.context, dict) and info.field_name is not None:
            info.context[info.field_name] = result
        return result


Shape = TypeVar("Shape", bound=BaseModel)


class ApplyBody(Part):
    """The body of an apply."""

    manifests: Annotated[list[Any], Field(min_length=1, max_length=MAX_MANIFESTS)]


def read_apply(body: Json) -> tuple[list[Draft], list[Mistake]]:
    """Read the body of an apply: the drafts in the order sent, and every mistake."""
    mistakes = [Mistake.at(found.path, found.en, found.vi) for found in json_text.findings(body)]
    if mistakes:
        return [], mistakes
    parsed, mistakes = validate(ApplyBody, body, ())
    if parsed is None:
        return [], mistakes
    drafts = []
    for index, manifest in enumerate(parsed.manifests):
        draft, wrong = _read_manifest(manifest, ("manifests", index))
        mistakes += wrong
        if draft is not None:
            drafts.append(draft)
    return drafts, mistakes


def read_spec(
    kind: Kind, identity: str | None, raw: Json, *, at: Path, id_at: Path
) -> tuple[Draft, list[Mistake]]:
    """Read the spec of one resource; `identity` is its canonical id, None where that is wrong already."""
    shape = SPECS[kind]
    fields: dict[str, Any] = {}
    spec, mistakes = validate(shape, raw, at, fields)
    if isinstance(raw, dict):
        given = {name for name, value in raw.items() if value is not None}
        mistakes += [
            Mistake.at((*at, *found.path), found.en, found.vi)
            for found in shape.findings(identity, fields, given)
        ]
    document = None
    if spec is not None and identity is not None and not mistakes:
        document = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    references = [((*at, *path), key) for path, key in shape.references(fields)]
    owner = shape.owner(identity) if identity is not None else None
    if owner is not None:
        references.insert(0, (id_at, owner))
    operations, wrong = openapi.read(fields["openapi"]) if "openapi" in fields else ((), ())
    name = identity if identity is not None else f"?{pointer(id_at)}"
    draft = Draft(kind, name, at, id_at, document, tuple(references), operations if not wrong else ())
    return draft, mistakes


def read_identity(kind: Kind, text: str, at: Path) -> tuple[str | None, list[Mistake]]:
    """Return the canonical form of an id, or the mistake in it."""
    try:
        return SPECS[kind].identify(text), []
    except ValueRefusedError as refusal:
        return None, [Mistake.at(at, refusal.en, refusal.vi)]


def validate(
    shape: type[Shape], raw: Json, at: Path, fields: dict[str, Any] | None = None
) -> tuple[Shape | None, list[Mistake]]:
    """Read a value by its Pydantic model: the model, or every mistake; `fields` receives what was right."""
    try:
        return shape.model_validate(raw, context=fields), []
    except ValidationError as error:
        mistakes = []
        for detail in error.errors(include_url=False):
            place = (*at, *detail["loc"])
            mistakes.append(Mistake.at(place, *words(detail, lambda path: _known(shape, path))))
        return None, mistakes


def _read_manifest(raw: Json, at: Path) -> tuple[Draft | None, list[Mistake]]:
    parts: dict[str, Any] = {}
    _, mistakes = validate(Manifest, raw, at, parts)
    if "kind" not in parts:
        return None, mistakes
    kind = Kind(parts["kind"])
    identity = None
    id_at = (*at, "metadata", "id")
    if "metadata" in parts:
        identity, wrong = read_identity(kind, parts["metadata"].id, id_at)
        mistakes += wrong
    if "spec" not in parts:
        return None, mistakes
    draft, wrong = read_spec(kind, identity, parts["spec"], at=(*at, "spec"), id_at=id_at)
    return draft, mistakes + wrong


def _known(shape: type[BaseModel], path: tuple[str | int, ...]) -> Collection[str]:
    """Return the members that the object at a path may have."""
    for part in path:
        for name, field in shape.model_fields.items():
            inner = field.annotation
            if part == (field.alias or name) and isinstance(inner, type) and issubclass(inner, BaseModel):
                shape = inner
    return [field.alias or name for name, field in shape.model_fields.items()]
