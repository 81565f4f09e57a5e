"""What every page of the gallery needs: who asks, pages from templates, and answers that are none."""

from importlib.resources import files
from typing import Any, NoReturn

from bottle import HTTPError, HTTPResponse, SimpleTemplate, request

from aigen import __version__
from aigen.viewer import visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.visits import Visit
from aigen.wording import spoken_price


def visit() -> Visit:
    """Who makes the request at hand."""
    found: Visit = request.environ["aigen.visit"]
    return found


def redirect(path: str) -> NoReturn:
    """Send the visitor to another path of ours; relative, for behind a proxy only the browser knows the rest."""
    raise HTTPResponse(status=303, headers={"Location": path})


def not_found() -> NoReturn:
    """Say that there is nothing here, also where there is something of somebody else's."""
    raise HTTPError(404)


def render(name: str, status: int = 200, **values: Any) -> HTTPResponse:
    """A page from a template, in which every value is escaped; with the cookie that its forms need."""
    who: Visit | None = request.environ.get("aigen.visit")
    gallery: Gallery = request.environ["aigen.gallery"]
    known: dict[str, Any] = {
        "registers": gallery.registration == "open",
        "read_only": gallery.is_read_only,
        "paid": gallery.offers_paid,
    }
    if who:
        known |= {
            "user_id": who.user_id,
            "csrf": who.csrf,
            "only": who.only,
            "may_change": not who.only and not gallery.is_read_only,
        }
    response = HTTPResponse(render_text(name, **known, **values), status)
    response.content_type = "text/html; charset=utf-8"
    if who and not request.get_cookie(visits.VISITOR):
        visits.set_cookie(response, visits.VISITOR, who.visitor, gallery.secure)
    return response


def render_text(name: str, **values: Any) -> str:
    """Return a template as text, with what all of them need filled in."""
    shared = {
        "user_id": None, "csrf": "", "version": __version__, "message": None, "title": "aigen", "refresh": None,
        "script": None, "registers": False, "read_only": False, "only": None, "may_change": False, "paid": False,
        "spoken_price": spoken_price,
    }  # fmt: skip
    text: str = _template(name).render({**shared, **values})
    return text


TEMPLATES = files("aigen.viewer") / "templates"
_templates: dict[str, SimpleTemplate] = {}


def _template(name: str) -> SimpleTemplate:
    if name not in _templates:
        _templates[name] = SimpleTemplate(name=f"{name}.html", lookup=[str(TEMPLATES)])
    return _templates[name]
