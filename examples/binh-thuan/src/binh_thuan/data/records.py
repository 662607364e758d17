"""The base of everything that the departments answer with."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Record(BaseModel):
    """An immutable record; its JSON names are in camel case and nothing unknown is taken in."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


R = TypeVar("R", bound=Record)


class ListPage(Record, Generic[R]):
    """One page of a list, with the number of all that were found."""

    items: list[R]
    page: int
    page_size: int
    total: int
