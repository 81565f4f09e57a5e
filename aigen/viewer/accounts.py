"""Accounts: registering, logging in and out, and opening the link of a notice.

The store is asked for a user id exactly as it is typed; an unknown one takes as long and is refused in the same words
as a wrong password.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from bottle import Bottle, HTTPError, HTTPResponse, request

from aigen.errors import UsageError
from aigen.orders.placing import new_user_id
from aigen.store.hashing import hash_password, hash_token, verify_password
from aigen.types.request import check_user_id
from aigen.viewer import visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.web import redirect, render, visit

_guessing, _registering = threading.Lock(), threading.Lock()
# So many visitors may have a password checked, or wait for that; the other threads stay free for pages.
WAITING = 3
_entrance = threading.BoundedSemaphore(WAITING)
_OWN_PATH = re.compile(r"/[A-Za-z0-9_-][A-Za-z0-9_/.-]*")
_NOT_LAUNCHED = (
    "To enter without a password, open the address that aigen serve has printed, or paste its token below. "
    "Other users of this machine can reach this page too."
)


def add_routes(app: Bottle, gallery: Gallery) -> None:
    clock = gallery.clock

    def enter(user_id: str, target: str, only: str | None = None, launched: bool = False) -> HTTPResponse:
        response = HTTPResponse(status=303, headers={"Location": target})
        visits.log_in(gallery, visit(), user_id, response, only)
        if launched:
            _remember_launch(gallery, response)
        return response

    def too_many_registrations() -> bool:
        return not visits.may_register(gallery, visit())

    def is_launched() -> bool:
        """Return whether the visitor may enter without a password; on a form, by the token typed into it."""
        return visit().is_launched or bool(gallery.launch and gallery.launch.accepts(_typed("token").strip()))

    def invitation() -> str | None:
        """The hash of the invitation that a visitor has come with, where one is needed. Raises HTTPError."""
        if gallery.registration == "open":
            return None
        token = request.params.getunicode("invitation") or ""
        if gallery.registration == "closed" or not gallery.store.is_invited(hash_token(token), clock()):
            needed = ": ask whoever runs this gallery for an invitation" if gallery.registration == "invite" else ""
            raise HTTPError(403, f"Registration is closed here{needed}.")
        return hash_token(token)

    @app.get("/register", public=True)
    def register_page() -> HTTPResponse:
        invitation()
        return render(
            "register", title="Register", password_needed=gallery.public, typed="", launched=visit().is_launched,
            invitation=request.query.getunicode("invitation") or "",
        )  # fmt: skip

    @app.post("/register", public=True)
    def register() -> HTTPResponse:
        typed, password = _typed("user_id").strip(), _typed("password")
        invited = invitation()

        def again(message: str, status: int = 400) -> HTTPResponse:
            return render(
                "register", status, title="Register", password_needed=gallery.public, typed=typed[:64],
                message=message, invitation=_typed("invitation"), launched=visit().is_launched,
            )  # fmt: skip

        too_many = "There were too many registrations from your address. Try again later."
        if too_many_registrations():
            return again(too_many, 429)
        launched = is_launched()
        if not password and not launched:
            return again(_NOT_LAUNCHED, 403)
        try:
            if typed:
                check_user_id(typed)
            if typed and not password and gallery.public:
                raise UsageError("a user id of your own needs a password here: give one, or leave both empty")
            with _waiting():
                password_hash = hash_password(password) if password else None
        except UsageError as error:
            return again(str(error))
        user_id = typed or new_user_id()
        with _registering:  # so that nobody gets around the limits by registering side by side
            if too_many_registrations():
                return again(too_many, 429)
            if not gallery.store.add_user(user_id, not typed, password_hash, clock(), invited):
                visits.log(gallery, visit(), "register_failed", user_id=typed)
                return again(f"user id {user_id!r} is taken: choose another", 409)
            visits.log(gallery, visit(), "register", user_id=user_id)
        visits.log(gallery, visit(), "login", user_id=user_id)
        return enter(user_id, "/dash" if typed else "/dash?new=1", launched=launched)

    @app.get("/login", public=True)
    def login_page() -> HTTPResponse:
        return _login_form("", _own_path(request.query.getunicode("next")))

    @app.post("/login", public=True, changes=False)
    def login() -> HTTPResponse:
        typed, password = _typed("user_id").strip(), _typed("password")
        target = _own_path(_typed("next"))
        with _waiting(), _guessing:  # so that nobody gets around the limits by guessing side by side
            return try_to_log_in(typed, password, target)

    def try_to_log_in(typed: str, password: str, target: str) -> HTTPResponse:
        user, launched = gallery.store.user(typed), is_launched()
        has_none = user is not None and user["password_hash"] is None
        if not password and not launched and not (has_none and user and user["made"]):
            # Not counted as a guess: it would lock out who has the token.
            visits.log(gallery, visit(), "login_refused", user_id=typed)
            return _login_form(typed, target, _NOT_LAUNCHED, 403)
        if not (gallery.launch and launched and has_none) and visits.must_wait(gallery, visit(), typed):
            message = "Too many logins have failed. Try again in a quarter of an hour."
            response = _login_form(typed, target, message, 429)
            response.set_header("Retry-After", str(round(visits.WINDOW.total_seconds())))
            if not gallery.store.count_activity(
                "login_throttled", clock() - visits.WINDOW, typed[:64], visit().address
            ):
                visits.log(gallery, visit(), "login_throttled", user_id=typed)
            return response
        if not _may_enter(user, password, gallery.public, launched):
            visits.log(gallery, visit(), "login_failed", user_id=typed)
            return _login_form(typed, target, "User id or password is wrong.", 403)
        visits.log(gallery, visit(), "login", user_id=typed)
        return enter(typed, target, launched=launched)

    @app.post("/logout", changes=False, one_order=True)
    def logout() -> HTTPResponse:
        who = visit()
        assert who.user_id
        assert who.token
        everywhere = bool(_typed("everywhere")) and not who.only
        if everywhere:
            gallery.store.delete_sessions(who.user_id)
        else:
            gallery.store.delete_session(hash_token(who.token))
        visits.log(gallery, who, "logout", "everywhere" if everywhere else None)
        response = HTTPResponse(status=303, headers={"Location": "/"})
        response.delete_cookie(visits.SESSION, path="/")
        response.set_header("Clear-Site-Data", '"cache", "storage"')  # not cookies: the browser stays launched
        return response

    @app.get("/open/<token>", public=True)
    def open_page(token: str) -> HTTPResponse:
        link = gallery.store.link(hash_token(token), clock())
        if link is None:
            return _used_up()
        if _sees(link):
            redirect(f"/dash#{link['generation_id']}")
        return render("open", title="Open", token=token, one_order=_opens_one_order(link))

    @app.post("/open/<token>", public=True, changes=False)
    def open_order(token: str) -> HTTPResponse:
        """Log in by a link. Pressing the button uses it up; scanners of mail only open pages.

        A user who has a password is logged in. One who has none could not end what a stranger does with a link: it
        shows its order, and nothing else.
        """
        link = gallery.store.use_link(hash_token(token), clock())
        if link is None:
            return _used_up()
        order = link["generation_id"]
        if _sees(link):
            redirect(f"/dash#{order}")
        visits.log(gallery, visit(), "login", f"link to {order}", user_id=link["user_id"])
        return enter(link["user_id"], f"/dash#{order}", order if _opens_one_order(link) else None)

    @app.get("/confirm/<token>", public=True)
    def confirm_page(token: str) -> HTTPResponse:
        return _confirm_form(gallery.store.asked_address(hash_token(token), clock()), token)

    @app.post("/confirm/<token>", public=True)
    def confirm(token: str) -> HTTPResponse:
        """Confirm a mail address. It takes a button, because mail scanners open links."""
        gallery.store.confirm_address(hash_token(token), clock())
        return _confirm_form(gallery.store.asked_address(hash_token(token), clock()), token)

    def _opens_one_order(link: dict[str, Any]) -> bool:
        user = gallery.store.user(link["user_id"])
        return user is None or user["password_hash"] is None


def launch(gallery: Gallery) -> None:
    """Let in the user who started the gallery and came by the address that it printed."""
    token = request.query.getunicode("token")
    if gallery.launch and token and gallery.launch.accepts(token):
        rest = urlencode([(name, value) for name, value in request.query.allitems() if name != "token"])
        response = HTTPResponse(status=303, headers={"Location": f"{quote(request.path)}{'?' + rest if rest else ''}"})
        _remember_launch(gallery, response)
        raise response


def _remember_launch(gallery: Gallery, response: HTTPResponse) -> None:
    if gallery.launch:
        visits.set_cookie(response, gallery.launch.cookie, gallery.launch.token, gallery.secure)


def _confirm_form(asked: dict[str, Any] | None, token: str) -> HTTPResponse:
    return render("confirm", 200 if asked else 410, title="Confirm your address", asked=asked, token=token)


def _sees(link: dict[str, Any]) -> bool:
    """Return whether the visitor sees the order of a link already."""
    return link["user_id"] == visit().user_id and visit().only in (None, link["generation_id"])


@contextmanager
def _waiting() -> Iterator[None]:
    """Be one of few that have a password checked. Raises HTTPError when there are too many."""
    if not _entrance.acquire(blocking=False):
        raise HTTPError(503, "Many people are logging in just now. Try again in a moment.", retry_after="2")
    try:
        yield
    finally:
        _entrance.release()


def _used_up() -> HTTPResponse:
    return _login_form("", "/dash", "That link has been used or has expired. Log in to see your content.", 410)


def _login_form(typed: str, target: str, message: str | None = None, status: int = 200) -> HTTPResponse:
    return render(
        "login", status, title="Log in", typed=typed[:64], target=target, message=message,
        launched=visit().is_launched,
    )  # fmt: skip


def _may_enter(user: dict[str, Any] | None, password: str, public: bool, launched: bool) -> bool:
    """Whether a user may log in. A user id without a password is enough for the user who started the gallery.

    A made user id is itself the secret; a chosen one is not, and needs a password as soon as others can reach this.
    """
    if user and user["password_hash"] is None:
        return bool(user["made"]) or (not public and launched)
    right = verify_password(password, user["password_hash"] if user else None)
    return right and user is not None


def _typed(name: str) -> str:
    """What was typed into a field. A password that cannot be read must not become none."""
    if name in request.forms and request.forms.getunicode(name) is None:
        raise HTTPError(400, "What was typed is not valid text (UTF-8).")
    return request.forms.getunicode(name) or ""


def _own_path(path: str | None) -> str:
    """A path of this gallery to go on to; the dash where somebody has put in anything else."""
    return path if path and _OWN_PATH.fullmatch(path) else "/dash"
