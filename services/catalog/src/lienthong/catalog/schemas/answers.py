"""The shapes of answers, shared by all kinds of resources; they document what the endpoints return."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

M = TypeVar("M", bound=BaseModel)

ResourceStatus = Literal["active", "suspended"]


class AnswerModel(BaseModel):
    """A JSON object of an answer: members in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class ResourceMetadata(AnswerModel):
    """What identifies a resource, and when it was written."""

    id: str
    version: Annotated[int, Field(description="The catalog's version at the last change.", ge=1)]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ResourceManifest(AnswerModel):
    """The manifest of a resource as the catalog answers it."""

    api_version: Literal["lienthong/v1"]
    metadata: ResourceMetadata


class ManifestPage(BaseModel, Generic[M]):
    """A page of a list, in the order of the ids."""

    items: list[M]
    next: Annotated[str | None, Field(description="The cursor of the next page; null at the end.")]


class Notice(BaseModel):
    """A warning: where in the manifest, and what the caller should know."""

    pointer: Annotated[str, Field(description="A JSON pointer (RFC 6901) into the manifest.")]
    detail: str
    detail_vi: str


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema whose references to its own `$defs` are replaced by what they refer to."""
    definitions = schema.get("$defs", {})

    def resolve(node: Any) -> Any:  # noqa: ANN401 - any JSON
        match node:
            case {"$ref": str(target)}:
                return resolve(definitions[target.removeprefix("#/$defs/")])
            case dict():
                return {name: resolve(member) for name, member in node.items() if name != "$defs"}
            case list():
                return [resolve(item) for item in node]
            case _:
                return node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
