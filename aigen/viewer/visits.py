"""Who is asking: sessions and forms that are really ours, throttling, and the log of what was done.

A session is a random token in a cookie, of which the store keeps the hash. A form carries a value that only the page it
came from can know: it is derived from that token, or before anybody has logged in from another random cookie.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bottle import HTTPResponse, LocalRequest, MultipartError, abort, request

from aigen.store.hashing import hash_token
from aigen.times import to_text
from aigen.types.rows import Session

if TYPE_CHECKING:
    from aigen.viewer.gallery import Gallery

SESSION, VISITOR = "aigen_session", "aigen_visitor"
# How long a login lasts, and one by a link to an order.
LIFETIME, LINK_LIFETIME = timedelta(days=30), timedelta(days=7)
# Failed logins within the window after which an address or a user id has to wait.
WINDOW = timedelta(minutes=15)
FAILURES_PER_USER_AND_ADDRESS, FAILURES_PER_ADDRESS, FAILURES_PER_USER = 5, 20, 50
REGISTRATIONS_PER_ADDRESS = 10
# In the same time, of all visitors: where a proxy hides their addresses, nothing else limits them.
REGISTRATIONS = 100
AGENT_LIMIT = 200


@dataclass(frozen=True)
class Visit:
    """One request: who makes it, from where. `user_id` is None until somebody has logged in.

    `only` is the one order that is shown to somebody who came by its link. `is_launched`: the visitor may enter without
    a password, as the user who started the gallery.
    """

    user_id: str | None
    token: str | None
    visitor: str
    address: str
    user_agent: str
    only: str | None = None
    is_launched: bool = True

    @property
    def csrf(self) -> str:
        """What a form on a page for this visitor must carry."""
        return hashlib.sha256(f"form:{self.token or self.visitor}".encode()).hexdigest()


def recognise(gallery: "Gallery", asked: LocalRequest = request) -> Visit:
    """Who makes a request; only the session's row says that, nothing else the client sends."""
    token = _cookie(asked, SESSION)
    session = gallery.store.session(hash_token(token), gallery.clock()) if token else None
    return Visit(
        session.user_id if session else None,
        token if session else None,
        _cookie(asked, VISITOR) or secrets.token_urlsafe(16),
        str(asked.environ.get("REMOTE_ADDR") or ""),
        asked.get_header("User-Agent", "")[:AGENT_LIMIT],
        session.generation_id if session else None,
        gallery.launch is None or gallery.launch.accepts(_cookie(asked, gallery.launch.cookie) or ""),
    )


def _cookie(asked: LocalRequest, name: str) -> str | None:
    value = asked.get_cookie(name)
    return value if isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() else None


def check_form(visit: Visit, sort: str = "application/x-www-form-urlencoded", asked: LocalRequest = request) -> None:
    """Refuse a form that does not come from a page of ours, or is of another sort than it has there."""
    if asked.content_type.partition(";")[0].strip().lower() != sort:
        abort(415, "This form cannot be read.")
    try:
        _ = asked.POST
    except (MultipartError, ValueError, LookupError):  # no form at all, no number, no text, an unknown character set
        abort(400, "This form cannot be read: it is not valid text (UTF-8), or a part of it is missing.")
    given = asked.forms.getunicode("csrf") or ""
    if not hmac.compare_digest(given.encode(), visit.csrf.encode()):
        abort(403, "This form is too old or not from this page. Go back, reload the page and try again.")


def log_in(gallery: "Gallery", visit: Visit, user_id: str, response: HTTPResponse, only: str | None = None) -> None:
    """Begin a session, always with a new token, and put it into a cookie of the response.

    With `only` it shows that order and nothing else.
    """
    token, now, lifetime = secrets.token_urlsafe(32), gallery.clock(), LINK_LIFETIME if only else LIFETIME
    if visit.token:
        gallery.store.delete_session(hash_token(visit.token))
    expires_at = to_text(now + lifetime)
    gallery.store.add_session(
        Session(hash_token(token), user_id, expires_at, visit.address, visit.user_agent, only), now
    )
    set_cookie(response, SESSION, token, gallery.secure, round(lifetime.total_seconds()))


def set_cookie(response: HTTPResponse, name: str, value: str, secure: bool, max_age: int | None = None) -> None:
    lasting = {} if max_age is None else {"max_age": max_age}
    response.set_cookie(name, value, path="/", httponly=True, samesite="lax", secure=secure, **lasting)


def log(gallery: "Gallery", visit: Visit, action: str, target: str | None = None, user_id: str | None = None) -> None:
    """Write down what somebody did; `user_id` as it was typed, where nobody has logged in."""
    who = (user_id if user_id is not None else visit.user_id or "")[:64]
    gallery.store.log_activity(gallery.clock(), who, action, target, visit.address, visit.user_agent)


def must_wait(gallery: "Gallery", visit: Visit, user_id: str) -> bool:
    """Whether too many logins have failed lately: of this user from this address, from this address, or of this user.

    The last allows many more, so that others cannot lock somebody out by guessing. Behind a proxy that is not trusted
    all visitors have its address, which then says nothing.
    """
    store, since, typed = gallery.store, gallery.clock() - WINDOW, user_id[:64]
    if store.count_activity("login_failed", since, user_id=typed) >= FAILURES_PER_USER:
        return True
    return not gallery.proxied and (
        store.count_activity("login_failed", since, typed, visit.address) >= FAILURES_PER_USER_AND_ADDRESS
        or store.count_activity("login_failed", since, address=visit.address) >= FAILURES_PER_ADDRESS
    )


def may_register(gallery: "Gallery", visit: Visit) -> bool:
    """Whether this address has not registered too many users lately, and neither have all together."""
    store, since = gallery.store, gallery.clock() - WINDOW
    if store.count_activity("register", since) >= REGISTRATIONS:
        return False
    return gallery.proxied or store.count_activity("register", since, address=visit.address) < REGISTRATIONS_PER_ADDRESS
