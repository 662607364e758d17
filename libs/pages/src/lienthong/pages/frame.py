"""The frame that all pages have, and how a page is made: a template, its values, and who looks at it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lienthong.kit.problems import TRANSACTION_HEADER
from lienthong.kit.text import BilingualText
from lienthong.pages.forms import TOKEN_FIELD
from lienthong.pages.paths import local_path
from lienthong.pages.preferences import preferences_of
from lienthong.pages.static_files import load_static_files

if TYPE_CHECKING:
    from starlette.requests import Request

    from lienthong.pages.forms import Forms

_SEE_OTHER: Final = 303
_ACCOUNT: Final = BilingualText("To my account", "Về tài khoản của tôi")


class Frame:
    """Makes pages of the templates of one package, within the frame of all.

    Templates are given texts by `t(vi, en)`, which takes the one of the person's language, and times by
    `time(at)`. Whatever they show is escaped; a name that nobody gave them is an error.
    """

    def __init__(self, package: str, forms: Forms, *, place: str, home: BilingualText = _ACCOUNT) -> None:
        """`package` has a folder `templates`; `place` is the name of the installation, shown on each page.

        `home` is what a page of a failure calls the way to the first page.
        """
        self.forms = forms
        self.static = load_static_files()
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("lienthong.pages")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            static={name: one.address for name, one in self.static.items()},
            place=place,
            home=home,
            token_field=TOKEN_FIELD,
            base64url=_base64url,
        )

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
        """A page: `template` with these values.

        The transaction id that it shows is that of the request, where `values` have no other.
        """
        preferred = preferences_of(request)
        values.setdefault("transaction_id", request.headers.get(TRANSACTION_HEADER, ""))
        text = self._environment.get_template(template).render(
            t=preferred.text,
            of=preferred.of,
            time=preferred.time,
            language=preferred.language,
            theme=preferred.theme,
            form_token=self.forms.token(request),
            here=local_path(_path_of(request)) or "/",
            **values,
        )
        response = HTMLResponse(text, status_code=status)
        self.forms.keep(request, response)
        return response

    def onward(self, request: Request, address: str) -> Response:
        """A page that leads on to an address at once, also one that leads to another site.

        After a form a redirect would not do: `form-action` holds for wherever it leads in the end.
        """
        return self.page(request, "onward.html", address=address)


def see_other(address: str) -> Response:
    """Have the browser fetch an address of this origin, after a form (RFC 9110 §15.4.4)."""
    return RedirectResponse(address, status_code=_SEE_OTHER)


def _base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _path_of(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
