"""The gallery as all its pages see it: the content folder, the names it goes by,
and each thread's connection to the store.
"""

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from aigen import pipelines
from aigen.content import ContentFolder
from aigen.errors import CostError
from aigen.orders import quotas
from aigen.orders.context import USER_BUDGET, Context
from aigen.settings import REGISTRATION, Settings
from aigen.store import Store
from aigen.times import Clock, utc_now
from aigen.types.pipeline import Pipeline
from aigen.wording import spoken_price

WAITING_LIMIT = 10


class Launch:
    """What tells the user who started the gallery from other users of this machine: a token in the address it prints.

    Browsers keep it in a cookie with the port in its name, since cookies of one host are those of all its ports.
    """

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(24)
        self.cookie = f"aigen_launch_{port}"

    def accepts(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())


@dataclass(frozen=True)
class Gallery:
    """The world of the web gallery. `hosts` are the names, with ports, by which it may be asked for.

    `anywhere`: also by any address of this machine, at this port (names are what an attacker could choose). `public`:
    others than the user of this machine may reach it. `secure`: it is reached by https. `proxied`: by way of a proxy
    that is not trusted to say for whom it asks. `launch`: what entering without a password asks for, if anything.
    """

    content: ContentFolder
    settings: Settings
    hosts: frozenset[str]
    anywhere: int | None = None
    public: bool = False
    secure: bool = False
    proxied: bool = False
    launch: Launch | None = None
    clock: Clock = utc_now
    load: Callable[[str, Settings], Pipeline] = pipelines.load

    @property
    def store(self) -> Store:
        """This thread's connection to the store."""
        opened: dict[ContentFolder, Store] = _threads.__dict__.setdefault("stores", {})
        if self.content not in opened:
            opened[self.content] = Store.open(self.content, create=not self.is_read_only)
        return opened[self.content]

    def goes_by(self, host: str) -> bool:
        """Whether a request for this host is for us."""
        if host.lower() in self.hosts:
            return True
        name, _, port = host.rpartition(":")
        try:
            return self.anywhere is not None and int(port) == self.anywhere and bool(ip_address(name.strip("[]")))
        except ValueError:
            return False

    @property
    def order_limit(self) -> int:
        """Return how many orders of a user may be unfinished."""
        return self.settings.number("AIGEN_MAX_ORDERS", WAITING_LIMIT)

    @property
    def context(self) -> Context:
        seconds, size = quotas.read_limits(self.settings, self.public)
        return Context(
            self.content,
            self.store,
            settings=self.settings,
            load=self.load,
            clock=self.clock,
            paid=self.offers_paid,
            agree=agree_up_to(0.0) if self.offers_paid else _refuse,
            max_orders=self.order_limit,
            max_seconds=seconds,
            max_bytes=size,
            confirms_mail=self.public,
            budgets=("AIGEN_MONTHLY_COST", USER_BUDGET),
        )

    def agreeing(self, agreed: float) -> Context:
        """Return the context for an order whose user was shown this price in USD."""
        return replace(self.context, agree=agree_up_to(agreed)) if self.offers_paid else self.context

    @property
    def registration(self) -> str:
        """Return who may register: `open` to everybody, `invite`, or `closed`."""
        return "closed" if self.is_read_only else self.settings.choice("AIGEN_REGISTRATION", *REGISTRATION)

    @property
    def is_read_only(self) -> bool:
        """Return whether the content folder can only be viewed, such as a backup."""
        return self.content.is_read_only

    @property
    def offers_paid(self) -> bool:
        """Return whether web users may use paid models."""
        return self.settings.values.get("AIGEN_WEB_PAID") == "1"


def _refuse(price: float | None) -> None:
    """Refuse every order that is not free."""
    raise CostError("models that cost money are not offered here: choose another")


def agree_up_to(agreed: float) -> Callable[[float | None], None]:
    """Return what agrees to pay as much as somebody was shown before they ordered."""

    def agree(price: float | None) -> None:
        if price is None:
            raise CostError("the cost of this order is unknown: choose another model")
        if round(price, 5) > round(agreed, 5):
            raise CostError(f"this order costs about {spoken_price(price)}: order again to agree")

    return agree


_threads = threading.local()
