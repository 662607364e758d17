"""What was learnt of documents changes how fast they are shaped, and nothing of what leaves."""

from __future__ import annotations

import gc
import json
import weakref
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.shaping import shapes
from lienthong.gateway.shaping.shape import UnfitError, shaped
from lienthong.gateway.shaping.shapes import (
    LOOKED_AT_FROM,
    MOST_LESSONS,
    MOST_RETIRED,
    MOST_SHAPES,
    MOST_WEIGHT,
    PASSED_OVER,
    Retired,
    Shape,
    Shapes,
)
from lienthong.gateway.shaping.structures import (
    MOST_NAMES,
    MOST_NAMES_OF_TREE,
    MOST_PLACES,
    WEIGHT_OF_PLACE,
    Place,
    Structures,
    size,
)
from lienthong.kit.field_paths import FieldPathError, FieldTree, tree
from tests.bench.agreed import FIELDS
from tests.bench.peers import LARGE_BODY

if TYPE_CHECKING:
    from collections.abc import Callable

PATHS = [
    "total",
    "items[*].id",
    "items[*].owners[*].name",
    "prices.*.net",
    "all.*",
    "either.a",
    "either[*].b",
]
TREE = tree(PATHS)
NAMES = st.sampled_from(
    [
        "total", "items", "id", "owners", "name", "prices", "net", "all", "either", "a", "b", "x", "y", 'q"',
        "back\\", "t\n", "ờ", "",
    ]
)  # fmt: skip
SCALARS = st.sampled_from(
    [
        "0", "-0", "1", "1.0", "1.50", "1E400", "-1e-400", "12345678901234567890123.10e5", "null", '""',
        '"a"', '"\\u1edd"', '"ờ"', '"\\/"', '"{\\"a\\":1}"', '"a\\\\"', '": ,"', '"\\ud83d\\ude00"',
    ]
)  # fmt: skip
SPACES = st.sampled_from(["", "", "", "", "", "", " ", "\n\t"])


@st.composite
def texts(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    """An object or array as text, now and then with white space, escaped names, or a name twice."""
    parts = []
    is_object = draw(st.booleans())
    for value in draw(st.lists(values, max_size=4)):
        name = ""
        if is_object:
            name = json.dumps(draw(NAMES), ensure_ascii=draw(st.booleans()))
            name = draw(st.sampled_from([name, name, name, name.replace("a", "\\u0061")])) + ":"
        parts.append(draw(SPACES) + name + draw(SPACES) + value + draw(SPACES))
    return ("{%s}" if is_object else "[%s]") % ",".join(parts)


ANY = st.recursive(SCALARS, texts, max_leaves=25)


def members(names: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
    """Objects with any of these names, in any order, and sometimes with another one."""
    others = {"x": SCALARS, "y": ANY, 'q"': SCALARS}
    pairs = [values.map(f"{json.dumps(name)}:{{}}".format) for name, values in (names | others).items()]
    chosen = st.lists(st.sampled_from(range(len(pairs))), unique=True, max_size=len(pairs))
    objects = chosen.flatmap(lambda numbers: st.tuples(*(pairs[number] for number in numbers)))
    return objects.map(lambda one: "{" + ",".join(one) + "}") | st.just("null")


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).map(lambda one: "[" + ",".join(one) + "]") | st.just("null")


OWNERS = arrays(members({"name": SCALARS}))
EITHER = members({"a": ANY}) | arrays(members({"b": ANY}))
PRICES = members({"x": members({"net": SCALARS}), "y": members({"net": SCALARS}), 'q"': members({})})
FITTING = members(
    {
        "total": ANY,
        "items": arrays(members({"id": SCALARS, "owners": OWNERS})),
        "all": members({"a": ANY}),
        "either": EITHER,
        "prices": PRICES,
    }
)
DOCUMENTS = FITTING | ANY


def outcome(shape: Callable[[bytes], tuple[bytes, int]], document: bytes) -> tuple[bytes, int] | None:
    try:
        return shape(document)
    except UnfitError:
        return None


def read(document: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.json.decode(document)
    except msgspec.DecodeError:
        return None


@given(st.lists(DOCUMENTS, min_size=1, max_size=4), st.data())
def test_types_of_any_lessons_say_what_is_said_without_them_or_nothing(
    documents: list[str], data: st.DataObject
) -> None:
    root = Place(TREE)
    for lesson in data.draw(st.lists(st.sampled_from(documents), max_size=3)):
        root.learn([read(lesson)])
    structures = Structures(root)
    for document in documents:
        found = structures.shaped(document.encode())
        assert found in (None, outcome(lambda text: shaped(text, TREE), document.encode()))


@given(st.lists(FITTING, min_size=1, max_size=4))
def test_what_has_been_learnt_is_known_where_nothing_else_is_taken_out(documents: list[str]) -> None:
    fields = tree(["total", "items[*].id", "items[*].owners[*].name", "all.a", "prices.*"])
    root = Place(fields)
    root.learn([read(document) for document in documents])
    structures = Structures(root)
    for document in documents:
        if read(document) is not None and 'q\\"' not in document:
            assert structures.shaped(document.encode()) == shaped(document.encode(), fields)


PATH_LISTS = st.lists(st.text("ab.*[]$", min_size=1, max_size=8), max_size=4)


@given(st.lists(DOCUMENTS, min_size=1, max_size=6), PATH_LISTS)
def test_a_shape_says_of_each_document_what_it_would_have_said_of_it_first(
    documents: list[str], paths: list[str]
) -> None:
    try:
        fields = tree(paths or PATHS)
    except FieldPathError:
        return
    shape = Shape(fields)
    for document in [*documents[:1] * LOOKED_AT_FROM, *documents, *documents]:
        expected = outcome(lambda text: shaped(text, fields), document.encode())
        assert outcome(shape.shaped, document.encode()) == expected


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
def test_any_bytes_are_shaped_or_refused_whatever_was_learnt(documents: list[bytes]) -> None:
    shape = taught(FIELDS, LARGE_BODY)
    for document in (*documents, *(LARGE_BODY.encode()[:-1] + document for document in documents)):
        assert outcome(shape.shaped, document) == outcome(lambda text: shaped(text, tree(FIELDS)), document)


def taught(paths: list[str], document: str) -> Shape:
    """A shape that has learnt from a document."""
    shape = Shape(tree(paths))
    for _ in range(LOOKED_AT_FROM):
        shape.shaped(document.encode())
    return shape


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The documents that are read without types."""
    found: list[bytes] = []

    def look(document: bytes, fields: FieldTree) -> tuple[bytes, int]:
        found.append(document)
        return shaped(document, fields)

    monkeypatch.setattr(shapes, "shaped", look)
    return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> weakref.WeakSet[type]:
    """The types that were made and are not freed yet."""
    found: weakref.WeakSet[type] = weakref.WeakSet()
    define = msgspec.defstruct

    def watched(name: str, fields: list[Any], **options: Any) -> type:  # noqa: ANN401 - all of msgspec's
        new = define(name, fields, **options)
        found.add(new)
        return new

    monkeypatch.setattr(msgspec, "defstruct", watched)
    return found


def test_documents_of_one_kind_are_read_with_types_and_say_the_same(looked: list[bytes]) -> None:
    expected = shaped(LARGE_BODY.encode(), tree(FIELDS))
    assert expected[1] == 78 * 6
    shape = taught(FIELDS, LARGE_BODY)
    assert len(looked) == LOOKED_AT_FROM
    spaced = json.dumps(json.loads(LARGE_BODY), ensure_ascii=False)
    for document in (LARGE_BODY, LARGE_BODY + "\n", spaced, LARGE_BODY):
        assert shape.shaped(document.encode()) == expected
    assert len(looked) == LOOKED_AT_FROM


LESSON = '{"total":1,"x":1,"items":[{"id":1,"x":2,"owners":[{"name":"A","no":1}]},{"id":2,"y":3}]}'


@pytest.mark.parametrize(
    ("document", "left", "removed"),
    [
        (LESSON, '{"total":1,"items":[{"id":1,"owners":[{"name":"A"}]},{"id":2}]}', 4),
        ('{"x":1,"items":[],"total":1E400}', '{"total":1E400,"items":[]}', 1),
        ('{"x":null,"items":[null,{"y":null}]}', '{"items":[null,{}]}', 2),
        ('{"total":{"a":1,"a":2.0},"x":{"a":1,"a":2}}', '{"total":{"a":1,"a":2.0}}', 1),
        ('{"total":[ 1 ],"x":0}', '{"total":[ 1 ]}', 1),
        ('\ufeff {"total":[ 1 ],"x":0}\r\n', '{"total":[ 1 ]}', 1),
        ('{ "total":[ 1 ],"x":0}', '{"total":[1]}', 1),
        # What has not been seen, and what is not what the paths are for.
        ('{"total":1,"z":1}', '{"total":1}', 1),
        ('{"total":1}', '{"total":1}', 0),
        ('{"items":[{"id":1,"owners":[{"name":"B"}]}]}', '{"items":[{"id":1,"owners":[{"name":"B"}]}]}', 0),
        ('{"items":[1,{"id":1}],"x":0}', '{"items":[{"id":1}]}', 2),
        ('{"items":{"id":1},"x":0}', "{}", 2),
        ('{"t\\u006ftal":1,"x":0}', '{"total":1}', 1),
        ("\ufeffnull", "null", 0),
    ],
)
def test_known_and_unknown_documents_are_shaped_and_counted(document: str, left: str, removed: int) -> None:
    shape = taught(PATHS, LESSON)
    for _ in range(PASSED_OVER + 3):
        assert shape.shaped(document.encode()) == (left.encode(), removed)


@pytest.mark.parametrize(
    "document",
    [
        b'{"total":1,"total":2,"x":1}', b'{"total":1,"x":1,"x":1}', b'{"total":1,"x":1,"\\u0078":1}',
        b'{"items":[{"id":1,"x":2,"x":2}],"x":1}', b'{"x":1,"items":[{"owners":[{"name":1,"name":1}]}]}',
        b'{"total":1,"x":"\xff"}', b'{"total":1,"x":"\\ud800"}', b'{"total":1,"x":01}', b'{"total":1,"x":1',
        b'{"total":1,"x":1},null', b'{"total":1,"x":1}}', b'{"total":1,"x":NaN}', b'{"total":1,"x":1,}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'"x"', b'{"total":1,"x":1}\x0b',
        b'\xef\xbb\xbf\xef\xbb\xbf{"total":1,"x":1}',
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_not_one_plain_json_document_is_refused_whatever_was_learnt(document: bytes) -> None:
    shape = taught(PATHS, LESSON)
    for _ in range(PASSED_OVER + 3):
        with pytest.raises(UnfitError):
            shape.shaped(document)


def test_documents_that_teach_nothing_are_tried_with_types_now_and_then(
    looked: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = taught(PATHS, LESSON)
    tried: list[bytes] = []
    known = Structures.shaped

    def watched(self: Structures, document: bytes) -> tuple[bytes, int] | None:
        tried.append(document)
        return known(self, document)

    monkeypatch.setattr(Structures, "shaped", watched)
    mixed = LESSON.replace('[{"name"', '[1,{"name"').encode()
    for _ in range(2 * PASSED_OVER + 2):
        shape.shaped(mixed)
    assert tried == [mixed] * 2
    assert looked[LOOKED_AT_FROM:] == [mixed] * (2 * PASSED_OVER + 2)


def test_names_that_are_new_each_time_are_not_learnt_for_ever(looked: list[bytes]) -> None:
    shape = Shape(tree(["total"]))
    for number in range(20 * MOST_LESSONS):
        document = f'{{"total":1,"n{number}":1}}'.encode()
        assert shape.shaped(document) == (b'{"total":1}', 1)
    assert len(looked) > 19 * MOST_LESSONS
    wide = json.dumps({"total": 1} | {f"w{number}": 1 for number in range(2 * MOST_NAMES)}).encode()
    assert shape.shaped(wide) == (b'{"total":1}', 2 * MOST_NAMES)


def test_a_tree_is_known_again_until_many_others_came() -> None:
    known, fields = Shapes(), tree(PATHS)
    shape = known.of(fields)
    assert known.of(fields) is shape
    assert known.of(tree(PATHS)) is not shape
    for _ in range(MOST_SHAPES):
        known.of(tree(PATHS))
    assert known.of(fields) is not shape


def test_a_place_of_objects_and_arrays_is_known_for_both(looked: list[bytes]) -> None:
    shape = taught(["either.a", "either[*].b"], '{"either":{"a":1,"x":2},"y":0}')
    array = b'{"either":[{"b":1,"x":2},null,{"b":3,"x":4}],"y":0}'
    shape.shaped(array)
    before = len(looked)
    assert shape.shaped(b'{"either":{"x":1,"a":2},"y":0}') == (b'{"either":{"a":2}}', 2)
    assert shape.shaped(array) == (b'{"either":[{"b":1},null,{"b":3}]}', 3)
    assert len(looked) == before


def test_what_some_objects_have_takes_one_lesson(looked: list[bytes]) -> None:
    shape = taught(["id"], '{"id":1,"x":2}')
    assert shape.shaped(b'{"id":1,"x":2,"y":3}') == (b'{"id":1}', 2)
    before = len(looked)
    assert shape.shaped(b'{"id":1,"x":2}') == (b'{"id":1}', 1)
    assert shape.shaped(b'{"y":1,"id":1,"x":2}') == (b'{"id":1}', 2)
    assert len(looked) == before
    assert shape.shaped(b'{"id":1,"y":3}') == (b'{"id":1}', 1)
    assert shape.shaped(b'{"y":3}') == (b"{}", 1)
    assert len(looked) == before + 1


def places(number: int) -> FieldTree:
    """A tree of so many places, at all but the first of which objects have a name."""
    return tree([f"p{at}.z" for at in range(number - 1)])


def test_of_a_tree_of_many_places_no_types_are_made(made: weakref.WeakSet[type]) -> None:
    long = ".".join("abcdefghijklmn")
    for fields in (
        places(MOST_PLACES + 1),
        tree([f"p{at}.{long}.z" for at in range(200)]),
        tree([f"p{at}" for at in range(MOST_NAMES_OF_TREE + 1)]),
        tree(["n" * 200]),
    ):
        shape = Shape(fields)
        for number in range(LOOKED_AT_FROM + 2):
            document = f'{{"p0":{{"z":1}},"n{number}":1}}'.encode()
            assert shape.shaped(document) == shaped(document, fields)
        assert not made


def test_of_a_tree_of_as_many_places_as_may_be_types_are_made_once(made: weakref.WeakSet[type]) -> None:
    shape = Shape(places(MOST_PLACES))
    assert size(shape.tree) == (MOST_PLACES, 2 * (MOST_PLACES - 1))
    for _ in range(LOOKED_AT_FROM + 2):
        shape.shaped(b'{"p0":{"z":1,"x":1}}')
    assert len(made) == 2 * MOST_PLACES


def test_a_lesson_makes_types_of_the_places_that_it_changes(made: weakref.WeakSet[type]) -> None:
    shape = taught(["a.b.z", "c.d.z"], '{"a":{"b":{"z":1}},"c":{"d":{"z":1}}}')
    assert len(made) == 2 * 5
    before = set(made)
    shape.shaped(b'{"a":{"b":{"z":1}},"c":{"d":{"z":1,"x":1}}}')
    # Of the root, `c` and `d`, each with the members that do not leave.
    assert len(set(made) - before) == 3


def test_names_are_learnt_up_to_a_bound_for_the_whole_tree() -> None:
    shape = Shape(places(MOST_PLACES))
    wide = {f"p{at}": {"z": 1} | {f"n{n}": n for n in range(60)} for at in range(MOST_PLACES - 1)}
    document = json.dumps(wide).encode()
    for _ in range(LOOKED_AT_FROM + 2):
        assert shape.shaped(document) == shaped(document, shape.tree)
    assert shape.weight == WEIGHT_OF_PLACE * MOST_PLACES + MOST_NAMES_OF_TREE


def test_each_lesson_is_twice_as_far_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    lessons: list[int] = []
    learn = Place.learn

    def watched(self: Place, values: list[Any]) -> int:
        lessons.append(number)
        return learn(self, values)

    monkeypatch.setattr(Place, "learn", watched)
    shape = Shape(tree(["total"]))
    for number in range(1, 300):
        shape.shaped(f'{{"total":1,"n{number}":1}}'.encode())
    assert lessons == [4, 5, 7, 11, 19, 35, 67, 131, 259]


def test_the_heaviest_trees_are_forgotten_with_those_not_asked_for_longest() -> None:
    long = ".".join("abcdefghijklmn")
    paths = [f"p{at}.{long}.z" for at in range(200)]
    known, ordinary, other = Shapes(), tree(PATHS), tree(PATHS)
    kept, forgotten = known.of(ordinary), known.of(other)
    for _ in range(MOST_WEIGHT // sum(size(tree(paths))) + 2):
        known.of(tree(paths))
        assert known.of(ordinary) is kept
        assert known.weight <= MOST_WEIGHT
    assert known.of(other) is not forgotten


def test_what_is_learnt_counts_until_it_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    known, first, second = Shapes(), tree(PATHS), tree(PATHS)
    shape = known.of(first)
    before = known.weight
    assert before == Place(first).weight
    for _ in range(LOOKED_AT_FROM):
        known.of(first).shaped(LESSON.encode())
    # `x` and `y` at two places, and `no`.
    assert known.weight == before + 4
    other = known.of(second)
    monkeypatch.setattr(shapes, "MOST_WEIGHT", 2 * before + 4)
    other.shaped(b"{}")
    for _ in range(LOOKED_AT_FROM):
        known.of(second).shaped(LESSON.encode())
    assert known.of(second) is other
    assert known.of(first) is not shape


def test_types_that_nothing_is_read_with_are_freed_once_an_hour(made: weakref.WeakSet[type]) -> None:
    now = 0.0
    retired = Retired(lambda: now)
    known = Shapes(retired)

    def learn() -> FieldTree:
        """A tree with two lessons, if there are any."""
        fields = tree(["a.z"])
        for number in range(LOOKED_AT_FROM + 1):
            name = "n" if number < LOOKED_AT_FROM else "o"
            known.of(fields).shaped(f'{{"a":{{"z":1}},"{name}":1}}'.encode())
        return fields

    gc.disable()
    try:
        fields = learn()
        # Two of each place, and one of the root in the place of an old one.
        assert len(made) == 5
        assert retired.weight == WEIGHT_OF_PLACE + 3
        retired.add(MOST_RETIRED)
        known.of(fields)
        assert len(made) == 4
        assert retired.weight == 0
        retired.add(MOST_RETIRED)
        # Nothing is learnt, nor collected, before the hour is over.
        now = shapes.BETWEEN_COLLECTIONS_S - 1
        learn()
        assert len(made) == 4
        assert retired.weight == MOST_RETIRED
        now = shapes.BETWEEN_COLLECTIONS_S
        learn()
        assert len(made) == 4 + 5
        assert retired.weight == WEIGHT_OF_PLACE + 3
    finally:
        gc.enable()


def test_forgotten_trees_retire_their_types() -> None:
    retired = Retired()
    known, fields = Shapes(retired), tree(PATHS)
    for _ in range(LOOKED_AT_FROM):
        known.of(fields).shaped(LESSON.encode())
    weight = known.of(fields).weight
    assert not retired.weight
    for _ in range(MOST_SHAPES):
        known.of(tree(["total"]))
    assert retired.weight == weight


def test_many_small_objects_are_not_read_into_types_of_many_names(looked: list[bytes]) -> None:
    fields = [f"items[*].p{at}" for at in range(200)]
    shape = taught(fields, json.dumps({"items": [{f"p{at}": at for at in range(200)}]}))
    before = len(looked)
    few = b'{"items":[{"p1":1},{"p2":"' + b"long" * 100 + b'"}]}'
    assert shape.shaped(few) == (few, 0)
    assert len(looked) == before
    many = b'{"items":[' + b"{}," * 1000 + b"{}]}"
    assert shape.shaped(many) == (many, 0)
    assert len(looked) == before + 1
