"""The land system's older door: two operations of SOAP 1.1 and 1.2, as its WSDL document describes them."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from fastapi import FastAPI, Request
from fastapi.responses import Response

from binh_thuan.data.land import Parcel
from lienthong.kit.xml_text import NotXmlError, XmlReader

PATH = "/soap/land"
TNS = "urn:binh-thuan:land"
_MOST_BYTES = 64 * 1024
_MEDIA_TYPES = {
    "http://schemas.xmlsoap.org/soap/envelope/": "text/xml",
    "http://www.w3.org/2003/05/soap-envelope": "application/soap+xml",
}
_FAULTS = {
    "text/xml": "<faultcode>s:Client</faultcode><faultstring>{}</faultstring>",
    "application/soap+xml": "<s:Code><s:Value>s:Sender</s:Value></s:Code>"
    '<s:Reason><s:Text xml:lang="vi">{}</s:Text></s:Reason>',
}
_BODY, _CALL, _PARAMETER = 2, 3, 4  # depths


class _Call:
    """What an envelope asks for: the namespace of the envelope, the operation, the parcel."""

    def __init__(self, body: bytes) -> None:
        self.envelope = self.operation = self.parcel_id = ""
        self._path: list[str] = []
        reader = XmlReader(self, instructions=False)
        reader.listen(self)
        try:
            reader.feed(body)
            reader.finish()
        finally:
            reader.close()

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        del attributes
        self._path.append(name)
        if len(self._path) == 1:
            self.envelope = name.removesuffix(" Envelope")
        elif len(self._path) == _CALL and self._path[_BODY - 1] == f"{self.envelope} Body":
            self.operation = name.removeprefix(f"{TNS} ")

    def end(self, name: str) -> None:
        del name
        self._path.pop()

    def text(self, text: str) -> None:
        if len(self._path) == _PARAMETER and self._path[-1] == f"{TNS} parcelId":
            self.parcel_id += text


def add_soap(app: FastAPI, parcels: Mapping[str, Parcel]) -> None:
    """Let the application answer SOAP calls about these parcels."""

    @app.post(PATH, include_in_schema=False)
    async def land(request: Request) -> Response:
        body = await request.body()
        try:
            call = _Call(body[:_MOST_BYTES])
        except NotXmlError:
            return Response(status_code=400)
        media_type = _MEDIA_TYPES.get(call.envelope)
        if media_type is None:
            return Response(status_code=400)
        parcel = parcels.get(call.parcel_id)
        answer = _answer(call.operation, parcel) if parcel is not None else None
        if answer is None:
            reason = "Không có thửa đất hay thao tác này. · There is no such parcel or operation."
            answer, status = f"<s:Fault>{_FAULTS[media_type].format(reason)}</s:Fault>", 500
        else:
            status = 200
        envelope = f'<s:Envelope xmlns:s="{call.envelope}"><s:Body>{answer}</s:Body></s:Envelope>'
        return Response(envelope, status, media_type=media_type)


def _answer(operation: str, parcel: Parcel) -> str | None:
    match operation:
        case "getParcelSummary":
            inside = (
                f"<parcelId>{parcel.parcel_id}</parcelId><useCode>{parcel.use_type.code}</useCode>"
                f"<areaM2>{parcel.area_m2}</areaM2>"
            )
        case "getParcelOwners":
            inside = "".join(f"<owner>{escape(owner.full_name)}</owner>" for owner in parcel.owners)
        case _:
            return None
    return f'<{operation}Response xmlns="{TNS}">{inside}</{operation}Response>'
