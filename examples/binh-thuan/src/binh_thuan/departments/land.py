"""The land registration office: parcels, who holds them, and what changes."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import FastAPI, Path, Query

from binh_thuan.data.land import (
    ChangeKind,
    Parcel,
    ParcelChange,
    UseCode,
    first_registrations,
    owner,
    parcels,
    use_type,
)
from binh_thuan.data.people import population
from binh_thuan.data.records import ListPage, Record
from binh_thuan.departments.book import Book
from binh_thuan.departments.land_soap import add_soap
from binh_thuan.departments.web import (
    PageWanted,
    Surroundings,
    Words,
    conflict,
    create_department,
    known_entry,
    matches,
)

ParcelId = Annotated[str, Path(alias="parcelId")]


class NewChange(Record):
    """A change to be registered: a transfer names the new owner, a change of use the new use."""

    kind: ChangeKind
    reason: str
    new_owner_id: str | None = None
    new_use: UseCode | None = None
    case_id: str | None = None


class Entry(Record):
    """What the book keeps: the change and the parcel as it is from then on."""

    change: ParcelChange
    parcel: Parcel


@dataclass(slots=True)
class Cadastre:
    """The parcels as they are now."""

    parcels: dict[str, Parcel]
    changes: dict[str, list[ParcelChange]]

    @classmethod
    def opened(cls, book: Book[Entry]) -> "Cadastre":
        """Return the cadastre with everything that the book holds."""
        first = {number: [change] for number, change in first_registrations().items()}
        cadastre = cls(dict(parcels()), first)
        for entry in book.entries:
            cadastre.enter(entry)
        return cadastre

    def enter(self, entry: Entry) -> None:
        """Let a change take effect."""
        self.parcels[entry.parcel.parcel_id] = entry.parcel
        self.changes[entry.parcel.parcel_id].append(entry.change)


def changed(parcel: Parcel, wanted: NewChange) -> Parcel:
    """Return the parcel after a change, or refuse the change (409)."""
    after: dict[str, object] = {"version": parcel.version + 1}
    if wanted.kind == "transfer":
        buyer = population().get(wanted.new_owner_id or "")
        if buyer is None or buyer.died_on is not None:
            raise conflict("Cần số định danh của chủ mới (newOwnerId). · A transfer needs the new owner.")
        if parcel.mortgaged:
            raise conflict("Thửa đất đang thế chấp. · The parcel is mortgaged.")
        after["owners"] = [owner(buyer)]
    elif wanted.kind == "use-change":
        if wanted.new_use is None:
            raise conflict("Cần mục đích sử dụng mới (newUse). · A change of use needs the new use.")
        after["use_type"] = use_type(wanted.new_use)
    elif wanted.kind in ("mortgage", "mortgage-release"):
        if parcel.mortgaged == (wanted.kind == "mortgage"):
            raise conflict("Thửa đất đã ở tình trạng này. · The parcel is in this state already.")
        after["mortgaged"] = wanted.kind == "mortgage"
    elif wanted.kind == "first-registration":
        raise conflict("Thửa đất đã được đăng ký lần đầu. · The parcel has been registered before.")
    return parcel.model_copy(update=after)


def create_app(around: Surroundings) -> FastAPI:
    """Return the web service."""
    app = create_department("land")
    book = Book(around.book("changes"), Entry)
    cadastre = Cadastre.opened(book)

    def known(parcel_id: str) -> Parcel:
        return known_entry(cadastre.parcels, parcel_id, "thửa đất", "parcel")

    @app.get("/parcels", operation_id="listParcels")
    async def list_parcels(
        paging: PageWanted,
        q: Words = None,
        commune: Annotated[str | None, Query(alias="communeCode", pattern=r"^\d{5}$")] = None,
        use: Annotated[UseCode | None, Query()] = None,
        holder: Annotated[str | None, Query(alias="ownerId", pattern=r"^\d{12}$")] = None,
    ) -> ListPage[Parcel]:
        return paging.of(
            parcel
            for parcel in cadastre.parcels.values()
            if (commune is None or parcel.commune_code == commune)
            and (use is None or parcel.use_type.code == use)
            and (holder is None or any(one.personal_id == holder for one in parcel.owners))
            and matches(q, parcel.parcel_id, parcel.address, parcel.certificate_number)
        )

    @app.get("/parcels/{parcelId}", operation_id="getParcel")
    async def get_parcel(parcel_id: ParcelId) -> Parcel:
        return known(parcel_id)

    @app.get("/parcels/{parcelId}/changes", operation_id="listParcelChanges")
    async def list_parcel_changes(parcel_id: ParcelId, paging: PageWanted) -> ListPage[ParcelChange]:
        return paging.of(reversed(cadastre.changes[known(parcel_id).parcel_id]))

    @app.post("/parcels/{parcelId}/changes", operation_id="registerParcelChange", status_code=201)
    async def register_parcel_change(parcel_id: ParcelId, wanted: NewChange) -> ParcelChange:
        parcel = changed(known(parcel_id), wanted)
        day = around.today()
        change = ParcelChange(
            change_id=f"BD-{day.year}-{900000 + len(book.entries) + 1:06d}",
            parcel_id=parcel_id,
            kind=wanted.kind,
            registered_on=day,
            reason=wanted.reason,
            case_id=wanted.case_id,
            version=parcel.version,
        )
        cadastre.enter(book.append(Entry(change=change, parcel=parcel)))
        return change

    add_soap(app, cadastre.parcels)
    return app
