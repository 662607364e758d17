"""What is wrong with a ledger, in sentences: its tree, its search columns, its place in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lienthong.client.errors import RefusedError, Text
from lienthong.client.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from lienthong.client.sync_client import Client
    from lienthong.tlog.fsck import Finding


@dataclass(frozen=True, slots=True)
class LedgerFinding:
    """One thing that does not fit: what it is and where, in both languages.

    `place` is `entry <index>`, the path of a tile or bundle, `checkpoint` or `journal`; `problem` is that of
    `lienthong.tlog.Finding`, `index` for a search column, or the state of the place in the journal.
    """

    place: str
    problem: str
    entry: int | None
    said: Text

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {
            "place": self.place,
            "problem": self.problem,
            "entry": self.entry,
            "detail": self.said.en,
            "detail_vi": self.said.vi,
        }


def of_tree(finding: Finding) -> LedgerFinding:
    """A finding of the tree as a sentence."""
    place, entry = finding.place, finding.entry
    if place == "checkpoint":
        said = Text(
            "cây đã lưu không dẫn tới gốc mà điểm kiểm đã ký: sổ là của lịch sử khác, hoặc mép phải đã bị "
            "sửa",
            "the stored tree does not lead to the root that the checkpoint signs: it is another history, or "
            "its "
            "right edge was changed",
        )
    elif place.startswith("entry "):
        said = _of_record(finding)
    elif finding.problem == "missing":
        bundle = place.startswith("tile/entries/")
        said = Text(
            f"thiếu {'một bản ghi trong gói' if bundle else 'ô băm'} {place}, từ bản ghi {entry}",
            f"{'a record of the bundle' if bundle else 'the tile'} {place} is missing, from record {entry} "
            f"on",
        )
    elif finding.problem == "malformed":
        said = Text(f"{place} bị cắt cụt hoặc sai dạng", f"{place} was cut off or is malformed")
    elif finding.problem == "changed":
        said = Text(f"ô băm {place} đã bị sửa", f"the tile {place} was changed")
    else:
        said = Text(
            f"{place} và những gì ở dưới nó không khớp nhau, chưa biết bên nào đã bị sửa",
            f"{place} and what is below it do not fit, and which of them was changed is not known",
        )
    return LedgerFinding(place, finding.problem, entry, Text(said.vi, f"{said.en} ({finding.detail})"))


def _of_record(finding: Finding) -> Text:
    if finding.problem == "changed":
        return Text(
            f"nội dung bản ghi {finding.entry} đã bị sửa sau khi ký",
            f"record {finding.entry} was changed after it was signed",
        )
    return Text(
        f"bản ghi {finding.entry} không khớp ô băm của nó, chưa biết bên nào đã bị sửa",
        f"record {finding.entry} does not fit its tile, and which of them was changed is not known",
    )


def of_index(difference: Mapping[str, Any]) -> LedgerFinding:
    """A difference that the ledger's own check of its search index found, as a sentence."""
    index, column = int(difference["index"]), str(difference["column"])
    stored, expected = difference["stored"], difference["expected"]
    if column == "row" and stored is None:
        said = Text(f"dòng của bản ghi {index} đã mất", f"the row of record {index} is gone")
    elif column in {"row", "data"}:
        said = Text(
            f"dòng của bản ghi {index} không đọc được: {stored}",
            f"the row of record {index} cannot be read: {stored}",
        )
    elif column.startswith("lookup of "):
        said = Text(
            f"tra theo {column.removeprefix('lookup of ')} = {expected} không ra bản ghi {index}: chỉ mục "
            f"của "
            "cơ sở dữ liệu bị hỏng",
            f"a search for {column.removeprefix('lookup of ')} = {expected} does not lead to record {index}: "
            "the database's index is damaged",
        )
    else:
        said = Text(
            f"cột tìm kiếm {column} của bản ghi {index} là {_shown(stored, 'trống')}, bản ghi nói "
            f"{_shown(expected, 'không có')}",
            f"the search column {column} of record {index} is {_shown(stored, 'empty')}, the record says "
            f"{_shown(expected, 'nothing')}",
        )
    return LedgerFinding(f"entry {index}", "index", index, said)


def _shown(value: object, nothing: str) -> str:
    return nothing if value is None else f"«{value}»"


_PLACES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "shorter": Text(
            "luồng nhật ký chỉ tới thông điệp {last}, sổ đã ghi tới {sequence}: luồng đã bị quay về bản cũ, "
            "hoặc vị "
            "trí trong sổ đã bị sửa",
            "the journal ends at message {last}, and the ledger has it up to {sequence}: the journal was "
            "rolled "
            "back, or the ledger's place was changed",
        ),
        "other-message": Text(
            "thông điệp {sequence} của luồng nhật ký không phải thông điệp sổ đã ghi ở chỗ đó: luồng đã bị "
            "quay về "
            "bản cũ, hoặc vị trí trong sổ đã bị sửa",
            "message {sequence} of the journal is not the one that the ledger has integrated there: the "
            "journal "
            "was rolled back, or the ledger's place was changed",
        ),
        "not-integrated": Text(
            "thông điệp {sequence} của luồng nhật ký được đánh dấu đã ghi, nhưng sổ thiếu bản ghi của nó: "
            "vị trí "
            "trong sổ đã bị sửa",
            "message {sequence} of the journal counts as integrated, but the ledger lacks records of it: the "
            "ledger's place was changed",
        ),
        "replaced": Text(
            "luồng nhật ký nay là luồng tạo lúc {journal}, sổ đã ghi luồng tạo lúc {stream} tới thông điệp "
            "{sequence}",
            "the journal is now the one created {journal}, and the ledger has the one created {stream}, up "
            "to "
            "message {sequence}",
        ),
    }
)


def of_journal(place: Mapping[str, Any]) -> LedgerFinding | None:
    """What is wrong with the ledger's place in the journal; None where nothing is, or nothing can be told."""
    state = str(place["state"])
    sentence = _PLACES.get(state)
    if sentence is None:
        return None
    values = {
        "last": place["last_sequence"],
        **{name: place[name] for name in ("sequence", "journal", "stream")},
    }
    said = Text(sentence.vi.format(**values), sentence.en.format(**values))
    return LedgerFinding("journal", state, None, said)


_WELL: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "agrees": Text(
            "Vị trí trong luồng nhật ký khớp: thông điệp {sequence} của luồng tạo lúc {stream}",
            "The place in the journal agrees: message {sequence} of the one created {stream}",
        ),
        "empty": Text("Sổ chưa ghi gì từ luồng nhật ký", "Nothing of a journal is in the ledger yet"),
        "aged-out": Text(
            "Luồng nhật ký không còn giữ thông điệp {sequence}: không so được vị trí",
            "The journal does not keep message {sequence} any more: the place cannot be compared",
        ),
        "unknown": Text(
            "Sổ không hỏi được luồng nhật ký: chưa so vị trí ({sequence})",
            "The ledger cannot reach the journal: its place ({sequence}) was not compared",
        ),
    }
)


def told_of_journal(place: Mapping[str, Any] | None) -> Text:
    """Where the ledger is in the journal, where nothing is wrong with that."""
    sentence = _WELL.get(str(place["state"])) if place is not None else None
    if place is None or sentence is None:
        return Text("Chưa so vị trí trong luồng nhật ký", "The place in the journal was not compared")
    values = {"sequence": place["sequence"], "stream": place["stream"]}
    return Text(sentence.vi.format(**values), sentence.en.format(**values))


@dataclass(frozen=True, slots=True)
class BesideTheTree:
    """What was found beside the tree, and the ledger's place in the journal; None where it did not say."""

    findings: tuple[LedgerFinding, ...]
    journal: Mapping[str, Any] | None


def beside_the_tree(client: Client, size: int, progress: Callable[[int], None]) -> BesideTheTree:
    """Have the ledger compare its search columns with its first `size` records, and its place in the journal.

    A refusal of the ledger is a finding: what was not checked is not sound.
    """
    findings: list[LedgerFinding] = []
    place: Mapping[str, Any] | None = None
    try:
        findings.extend(_of_portions(client, size, progress))
    except RefusedError as error:
        findings.append(_unchecked("index", error))
    try:
        place = client.perform(_JOURNAL_PLACE)
    except RefusedError as error:
        findings.append(_unchecked("journal", error))
    else:
        finding = of_journal(place)
        findings += [finding] if finding is not None else []
    return BesideTheTree(tuple(findings), place)


def _unchecked(place: str, error: RefusedError) -> LedgerFinding:
    said = Text(f"sổ không kiểm tra được: {error.title.vi}", f"the ledger could not check: {error}")
    return LedgerFinding(place, "unchecked", None, said)


def _of_portions(client: Client, size: int, progress: Callable[[int], None]) -> Iterator[LedgerFinding]:
    first = 0
    while first < size:
        portion = client.perform(_index_check(first))
        for difference in portion["differences"]:
            yield of_index(difference)
        progress(min(size, first + int(portion["checked"])))
        following = portion["next"]
        if following is None or int(following) <= first:
            return
        first = int(following)


def _object(response: httpx.Response) -> Mapping[str, Any]:
    document: Mapping[str, Any] = response.json()
    return document


def _index_check(first: int) -> Operation[Mapping[str, Any]]:
    return Operation("GET", "/audit/v1/index-check", _object, params={"cursor": str(first)})


_JOURNAL_PLACE: Final[Operation[Mapping[str, Any]]] = Operation("GET", "/audit/v1/journal-place", _object)
