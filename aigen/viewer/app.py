"""The web application: routes, and around all of them who may do what, headers and errors.

Whatever is not said to be `public` needs a session, a form must come from a page of ours, and a request for another
host than ours is refused: that is decided here, once, for every route there is. A visitor who came by the link to an
order sees the routes that `one_order` marks. What `changes` something (every form that does not say otherwise) is
refused where the content folder is read-only.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from bottle import Bottle, FileUpload, FormsDict, HTTPError, Route, request

from aigen.errors import AigenError, GenerationError, UsageError
from aigen.viewer import accounts, visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.web import redirect, render, render_text

POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; font-src 'self'; "
    "style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def make_app(gallery: Gallery) -> Bottle:
    """The application; `guarded` makes a WSGI application of it that checks hosts and sets headers."""
    from aigen.viewer import media, orders, pages, selection

    app = Bottle()
    app.install(_Guard(gallery))
    for module in (accounts, pages, orders, selection, media):
        module.add_routes(app, gallery)

    def error_page(error: HTTPError) -> str:
        request.environ["aigen.gallery"] = gallery
        with suppress(AigenError):  # who is asking is not known yet where there is no route
            if "aigen.visit" not in request.environ:
                request.environ["aigen.visit"] = visits.recognise(gallery)
        return _error_page(error)

    app.default_error_handler = error_page
    return app


def guarded(app: Bottle, gallery: Gallery) -> Application:
    """The application as it is served: only under its own names, and with headers that keep pages to themselves."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], problem: Any = None) -> Any:
            present = {name.lower() for name, _ in headers}
            missing = [header for header in HEADERS if header[0].lower() not in present]
            if gallery.secure:
                missing.append(("Strict-Transport-Security", "max-age=31536000"))
            if "cache-control" not in present:
                missing.append(("Cache-Control", "no-store"))
            return start_response(status, headers + missing, problem)

        # What is static is the same for everybody, and the page that says so needs its style.
        static = str(environ.get("PATH_INFO", "")).startswith("/static/")
        if not static and not gallery.goes_by(str(environ.get("HTTP_HOST", ""))):
            text = "This gallery does not go by that name. AIGEN_BASE_URL, or serve --base-url, says by which it does."
            start("421 Misdirected Request", [("Content-Type", "text/html; charset=utf-8")])
            return [render_text("error", title="That is not my name", code=421, text=text).encode()]
        answer: Iterable[bytes] = app(environ, start)
        return answer

    return serve


class _Guard:
    """Bottle's plugin through which every route is called."""

    name, api = "guard", 2

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    def apply(self, callback: Callable[..., Any], route: Route) -> Callable[..., Any]:
        public, changes = bool(route.config.get("public")), route.config.get("changes", route.method == "POST")
        shows_one_order = bool(route.config.get("one_order"))
        sort = route.config.get("form", "application/x-www-form-urlencoded")

        def call(**arguments: Any) -> Any:
            gallery = self._gallery
            request.environ["aigen.gallery"] = gallery
            try:
                visit = visits.recognise(gallery)
            except AigenError as error:
                raise _unable(error) from error
            request.environ["aigen.visit"] = visit
            if route.method == "GET":
                accounts.launch(gallery)
            if changes and gallery.is_read_only:
                raise HTTPError(403, "This gallery is read-only. You can view and download what is in it.")
            if not public and visit.only and not shows_one_order:
                raise HTTPError(403, "Your link opens one order only. Log in to see the rest of the gallery.")
            if not public and visit.user_id is None:
                if route.method != "GET" or route.config.get("no_page"):
                    raise HTTPError(401, "Log in first, then try again.")
                redirect(f"/login?next={quote(request.path)}")
            try:
                if route.method == "POST":
                    visits.check_form(visit, sort)
                return callback(**arguments)
            except UsageError as error:
                raise HTTPError(400, str(error)) from error
            except GenerationError as error:
                raise HTTPError(503, str(error)) from error
            except AigenError as error:
                raise _unable(error) from error
            finally:
                _close_uploads()

        return call


def _close_uploads() -> None:
    """Let go of the temporary files that Bottle has put a large form into, if it has read one."""
    for _, value in request.environ.get("bottle.request.post", FormsDict()).allitems():
        if isinstance(value, FileUpload):
            value.file.close()
    if (body := request.environ.get("bottle.request.body")) is not None:
        body.close()


def _unable(error: AigenError) -> HTTPError:
    """What a visitor is told of a store or disk that cannot be used; the rest is for who runs this."""
    print(f"aigen: {error}", file=request.environ["wsgi.errors"])
    return HTTPError(503, "The gallery cannot be read or written at the moment. Try again in a minute.")


_ERRORS = {
    400: ("That did not work", ""),
    401: ("Log in first", ""),
    403: ("That is not allowed", ""),
    404: ("There is nothing here", "It may have been deleted, or it never was; or it is somebody else's."),
    405: ("That cannot be done here", ""),
    413: ("That is too large", "Leave something out and try again."),
    415: ("That cannot be read", ""),
    500: (
        "Something went wrong here",
        "It is not your fault. Try again in a moment; the terminal of aigen serve says more.",
    ),
    503: ("That cannot be done now", ""),
}


def _error_page(error: HTTPError) -> str:
    heading, text = _ERRORS.get(error.status_code, ("That did not work", ""))
    said = str(error.body) if error.status_code not in (404, 405, 413, 500) else ""
    response = render("error", title=heading, code=error.status_code, text=said or text)
    return str(response.body)
