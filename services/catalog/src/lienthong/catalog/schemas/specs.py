"""Reading the `spec` of a resource: its fields, the rules between them, and what they refer to.

Rules between fields are checked on the fields that are valid by themselves, so that one mistake never hides
another.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from typing_extensions import override

from lienthong.catalog.domain import identifiers, validity
from lienthong.catalog.domain.drafts import Draft, Reference
from lienthong.catalog.domain.resources import ResourceKey, ResourceKind, ServiceOperation
from lienthong.catalog.errors import MAX_ERRORS, InvalidValueError, Violation
from lienthong.catalog.schemas.fields import StrictModel
from lienthong.catalog.schemas.messages import messages
from lienthong.kit.json_pointer import JsonPath, pointer
from lienthong.kit.json_text import Json, not_portable

Fields = Mapping[str, Any]
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the document in a spec declares: its operations, and what is wrong in it.

    `operations` is None where it cannot be read, or there is none. Paths are relative to the spec. `kept` are
    the members of the spec that are kept in another form than they are given.
    """

    operations: tuple[ServiceOperation, ...] | None = None
    violations: tuple[Violation, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)


class FieldCollector(StrictModel):
    """A model whose fields that are valid by themselves are collected, even where others are not.

    They are put into the validation context, a dict.
    """

    @field_validator("*", mode="wrap")
    @classmethod
    def _collect(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
        result = handler(value)
        if isinstance(info.context, dict) and info.field_name is not None:
            info.context[info.field_name] = result
        return result


class ResourceSpec(FieldCollector):
    """What the specs of all kinds have in common."""

    kind: ClassVar[ResourceKind]

    @classmethod
    def canonical_id(cls, text: str) -> str:
        """Return the canonical form of an id of this kind.

        Raises:
            InvalidValueError: it breaks the grammar.
        """
        raise NotImplementedError

    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        """Yield what is wrong between fields and inside documents, with paths relative to the spec.

        `resource_id` is None where the id itself is wrong, `fields` are those that are valid by themselves,
        `given` names all members that were sent.
        """
        yield from ()

    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        """Yield the resources that fields refer to, with paths relative to the spec."""
        yield from ()

    @classmethod
    def owner(cls, resource_id: str) -> ResourceKey | None:
        """Return the resource that this one belongs to, as its id says."""
        return None

    @classmethod
    def declared(cls, fields: Fields) -> Declared:
        """Return what the document in a spec declares, which takes long to read."""
        return Declared()


class ProvidedSpec(ResourceSpec):
    """The spec of what a system provides to others: a service or an event type."""

    @override
    @classmethod
    def canonical_id(cls, text: str) -> str:
        return str(identifiers.ProvidedId.parse(text))

    @override
    @classmethod
    def owner(cls, resource_id: str) -> ResourceKey:
        return ResourceKind.SYSTEM, resource_id.rpartition("/")[0]


def read_spec(
    shape: type[ResourceSpec], resource_id: str | None, raw: Json, *, spec_path: JsonPath, id_path: JsonPath
) -> tuple[Draft, list[Violation]]:
    """Read the spec of one resource: what could be read of it, and every violation.

    `resource_id` is the canonical id, None where the id itself is wrong.
    """
    read: dict[str, Any] = {}
    spec, violations = validate(shape, raw, spec_path, read)
    # What may be left out may be null, which is the same.
    fields = {name: value for name, value in read.items() if value is not None}
    if isinstance(raw, dict):
        given = {name for name, value in raw.items() if value is not None}
        violations += [
            violation.under(*spec_path) for violation in shape.violations(resource_id, fields, given)
        ]
    declared = shape.declared(fields)
    violations += [violation.under(*spec_path) for violation in declared.violations]
    document = None
    if spec is not None and resource_id is not None and not violations:
        document = spec.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude=set(declared.kept)
        ) | dict(declared.kept)
    references = [((*spec_path, *path), key) for path, key in shape.references(fields)]
    owner = shape.owner(resource_id) if resource_id is not None else None
    if owner is not None:
        references.insert(0, (id_path, owner))
    name = resource_id if resource_id is not None else f"?{pointer(id_path)}"
    draft = Draft(shape.kind, name, spec_path, id_path, document, tuple(references), declared.operations)
    return draft, violations


def read_id(shape: type[ResourceSpec], text: str, path: JsonPath) -> tuple[str | None, list[Violation]]:
    """Return the canonical form of an id, or the violation in it."""
    try:
        return shape.canonical_id(text), []
    except InvalidValueError as reason:
        return None, [Violation(path, reason.text)]


def validate(
    shape: type[Shape], raw: Json, path: JsonPath, fields: dict[str, Any] | None = None
) -> tuple[Shape | None, list[Violation]]:
    """Validate a value: the model, or every violation. `fields` receives what is valid by itself."""
    try:
        return shape.model_validate(raw, context=fields), []
    except ValidationError as error:
        return None, [
            Violation((*path, *detail["loc"]), messages(detail, lambda where: _member_names(shape, where)))
            for detail in error.errors(include_url=False)
        ]


def unportable(body: Json) -> list[Violation]:
    """Return the places of a body that other JSON readers or the database could not take as it is.

    There may be more places: not more are returned than an answer names.
    """
    return [Violation(path, text) for path, text in islice(not_portable(body), MAX_ERRORS)]


def period_violations(fields: Fields) -> Iterator[Violation]:
    """Yield what is wrong between `validFrom` and `validTo`."""
    try:
        validity.check_order(fields.get("valid_from"), fields.get("valid_to"))
    except InvalidValueError as reason:
        yield Violation(("validTo",), reason.text)


def _member_names(shape: type[BaseModel], path: JsonPath) -> Collection[str]:
    """Return the members that the object at a path may have."""
    for part in path:
        for name, member in shape.model_fields.items():
            if part == (member.alias or name):
                # A field that may be left out is `Shape | None`.
                for inner in get_args(member.annotation) or (member.annotation,):
                    if isinstance(inner, type) and issubclass(inner, BaseModel):
                        shape = inner
    return [field.alias or name for name, field in shape.model_fields.items()]
