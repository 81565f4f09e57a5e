"""Pages to look at: landing, the user's gallery, one picture or video, the user's own log."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from bottle import Bottle, HTTPResponse, request

from aigen import pipelines
from aigen.errors import UsageError
from aigen.models.catalogue import display_name
from aigen.orders import source, status
from aigen.orders.jobs import describe_unknown
from aigen.orders.status import OrderStatus
from aigen.settings import NO_SETTINGS
from aigen.times import from_text
from aigen.types.request import Kind, Size
from aigen.types.rows import Generation, Item, sum_costs
from aigen.types.seen import ImageDescription
from aigen.viewer import estimates, visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.web import not_found, redirect, render, visit
from aigen.wording import readable, shortened, spoken_price

ORDERS_A_PAGE = 8
ACTIVITIES_SHOWN = 200
STATIC_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Tile:
    """A finished picture or video as the gallery shows it."""

    item: Item
    prompt: str

    @property
    def id(self) -> str:
        return f"{self.item.generation_id}-{self.item.kind}-{self.item.number}"

    @property
    def value(self) -> str:
        """What a form that selects it says."""
        return f"{self.item.generation_id}/{self.item.kind}/{self.item.number}"

    @property
    def name(self) -> str:
        return self.item.name.capitalize()

    @property
    def alt(self) -> str:
        return f"{self.name}: {shortened(self.prompt, 120)}"

    @property
    def page(self) -> str:
        segment = "videoplayer" if self.item.kind == "video" else "picture"
        return f"/{segment}/{self.item.generation_id}/{self.item.number}"

    @property
    def path(self) -> str:
        return f"/media/{self.item.generation_id}/{PurePosixPath(self.item.path or '').name}"

    def thumbnail(self, size: str) -> str:
        return f"/media/{self.item.generation_id}/{PurePosixPath(self.item.path or '').stem}-{size}.webp"

    @property
    def captions(self) -> str | None:
        """How a narrated film has its captions; None where it is none."""
        narration = (self.item.parameters or {}).get("narration")
        return str(narration.get("captions")) if isinstance(narration, dict) else None

    @property
    def seen(self) -> ImageDescription | None:
        """What is seen in the picture that it was made from, if it was."""
        seen = (self.item.parameters or {}).get("seen")
        try:
            return ImageDescription.from_json(seen) if isinstance(seen, dict) else None
        except (KeyError, TypeError, ValueError):  # of another version
            return None

    @property
    def size(self) -> Size:
        """Its width and height, so that its place is kept until it is there."""
        try:
            return Size.parse(str((self.item.parameters or {}).get("size")))
        except UsageError:
            return Size(1024, 1024)

    @property
    def label(self) -> str:
        return label(self.item.model)

    @property
    def details(self) -> dict[str, str]:
        """What it was made from, for people."""
        parameters = {**(self.item.parameters or {}), "seen": None}  # which has a place of its own
        cost = None if self.item.paid is None else spoken_price(self.item.paid)
        told: dict[str, Any] = {"made by": self.label, "cost": cost, "seed": self.item.seed, **parameters}
        return {
            name.replace("_", " ").capitalize(): readable(value)
            for name, value in told.items()
            if value not in (None, "", [])
        }

    @property
    def text(self) -> str:
        """Its details to paste somewhere."""
        return "\n".join([f"Prompt: {self.prompt}", *(f"{name}: {value}" for name, value in self.details.items())])


@dataclass(frozen=True)
class Card:
    """An order as the gallery shows it."""

    status: OrderStatus

    def tiles(self, kind: Kind) -> list[Tile]:
        return [
            Tile(item, self.status.order.prompt)
            for item in self.status.items
            if item.kind == kind and item.path and item.state == "done"
        ]

    @property
    def labels(self) -> str:
        return "; ".join(dict.fromkeys(label(item.model) for item in self.status.items))

    @property
    def problems(self) -> list[str]:
        """Why the order failed: each reason once, with the items that it is the reason of."""
        items: dict[str, list[str]] = {}
        for item in self.status.items:
            reason = describe_unknown(item) or item.error
            if item.state == "failed" and reason:
                items.setdefault(reason, []).append(item.name)
        told = [f"{', '.join(names).capitalize()}: {reason}" for reason, names in items.items()]
        return told or [f"It failed: {self.status.order.error}"]

    @property
    def is_uncertain(self) -> bool:
        """Return whether somebody must decide if something is bought again."""
        return any(describe_unknown(item) for item in self.status.items if item.state == "failed")

    @property
    def cost(self) -> str:
        """What the order costs, or is expected to; empty for a free one."""
        price, paid = self.status.order.price, sum_costs(item.paid for item in self.status.items)
        if self.status.order.status == "Processing" and price != 0:
            so_far = f", {spoken_price(paid)} so far" if paid else ""
            return ("cost unknown" if price is None else f"about {spoken_price(price)}") + so_far
        if paid is None:
            return "cost unknown" if price is None and any(item.job for item in self.status.items) else ""
        return f"cost {spoken_price(paid)}"

    @property
    def price(self) -> float:
        """What the same order would cost again, in USD."""
        return self.status.order.price or 0.0

    @property
    def ordered_at(self) -> str:
        return local(self.status.order.requested_at)


def add_routes(app: Bottle, gallery: Gallery) -> None:
    @app.get("/", public=True)
    def landing() -> HTTPResponse:
        if visit().user_id:
            redirect("/dash")
        return render("landing", title="aigen")

    @app.get("/dash", one_order=True)
    def dash() -> HTTPResponse:
        who = visit()
        assert who.user_id
        words, before = (request.query.getunicode("search") or "")[:200], request.query.getunicode("before") or None
        if who.only:
            orders = [own_order(gallery, who.only).order]
        else:
            orders = gallery.store.newest(who.user_id, ORDERS_A_PAGE + 1, before, words)
        cards = [Card(status.status_of(gallery.context, order)) for order in orders[:ORDERS_A_PAGE]]
        if request.method == "GET" and not request.query.getunicode("refresh"):
            visits.log(gallery, who, "view", "/dash")
        active = any(card.status.active for card in cards)
        return render(
            "dash",
            title="Your gallery",
            cards=cards,
            words=words,
            before=before,
            older=orders[ORDERS_A_PAGE - 1].generation_id if len(orders) > ORDERS_A_PAGE else None,
            unconfirmed={} if who.only else gallery.store.unconfirmed(who.user_id),
            is_new=bool(request.query.getunicode("new")) and not who.only,
            # Without a fragment: a browser does not load anew what differs only in that.
            refresh="/dash?refresh=1" if active and not before and not words else None,
        )

    @app.get("/orders/<generation_id>", no_page=True, one_order=True)
    def order(generation_id: str) -> HTTPResponse:
        """One order as it stands in the gallery, for the script that keeps it up to date."""
        return render("order", card=Card(own_order(gallery, generation_id)))

    @app.get("/videoplayer/<generation_id>/<number:int>", one_order=True)
    def videoplayer(generation_id: str, number: int) -> HTTPResponse:
        return show(generation_id, "video", number)

    @app.get("/picture/<generation_id>/<number:int>", one_order=True)
    def picture(generation_id: str, number: int) -> HTTPResponse:
        return show(generation_id, "image", number)

    def show(generation_id: str, kind: Kind, number: int) -> HTTPResponse:
        card = Card(own_order(gallery, generation_id))
        tiles = card.tiles(kind)
        shown = next((tile for tile in tiles if tile.item.number == number), None)
        if shown is None:
            not_found()
        if request.method == "GET":
            visits.log(gallery, visit(), "view", request.path)
        return render(
            "item",
            title=f"{shown.name} · {card.status.order.prompt[:60]}",
            card=card,
            shown=shown,
            tiles=tiles,
            picture=_picture(gallery, card.status.order),
            price_of_more=estimates.price_of_more(gallery, card.status.order, shown.item),
        )

    @app.get("/activity")
    def activity() -> HTTPResponse:
        user_id = visit().user_id
        assert user_id
        rows = gallery.store.activity(user_id, ACTIVITIES_SHOWN)
        return render("activity", title="Your activity", rows=rows, local=local)

    @app.get("/static/<name>", public=True)
    def static(name: str) -> HTTPResponse:
        return _static(name)

    @app.get("/favicon.ico", public=True)
    def favicon() -> HTTPResponse:
        return _static("icon.png")


def own_order(gallery: Gallery, generation_id: str) -> OrderStatus:
    """How an order of the visitor's stands; that there is one of somebody else's is nobody's business."""
    order, who = gallery.store.generation(generation_id), visit()
    if order is None or order.user_id != who.user_id or who.only not in (None, generation_id):
        not_found()
    return status.status_of(gallery.context, order)


def _picture(gallery: Gallery, order: Generation) -> str | None:
    """Where the small copy is of the picture that an order started from, if there is one."""
    path = source.thumbnail(gallery.content, order)
    return f"/media/{order.generation_id}/{path.name}" if order.request.from_picture and path.exists() else None


@cache
def label(model: str) -> str:
    """What made something, in the words of its pipeline, which depend on no setting; looking those up is slow."""
    try:
        return f"{display_name(model)}: {pipelines.load(model, NO_SETTINGS).abilities.label}"
    except UsageError:  # it is not installed any more
        return display_name(model)


def local(moment: str | None) -> str:
    """A time of the store as the clock of this machine has it."""
    return f"{from_text(moment).astimezone():%Y-%m-%d %H:%M}" if moment else ""


def _static(name: str) -> HTTPResponse:
    folder = files("aigen.viewer") / "static"
    suffix = PurePosixPath(name).suffix
    if suffix not in STATIC_TYPES or name not in {path.name for path in folder.iterdir()}:
        not_found()
    headers = {"Content-Type": STATIC_TYPES[suffix], "Cache-Control": "max-age=3600"}
    return HTTPResponse((folder / name).read_bytes(), headers=headers)
