"""Pages to look at: landing, the user's gallery, one video, the user's own log."""

from importlib.resources import files
from pathlib import PurePosixPath

from bottle import Bottle, HTTPResponse, request

from aigen import pipelines, status
from aigen.errors import UsageError
from aigen.status import Standing
from aigen.times import from_text
from aigen.types import Item
from aigen.viewer import visits
from aigen.viewer.app import Gallery, go, missing, page, visit

ORDERS_A_PAGE = 10
ACTIVITIES_SHOWN = 200
STATIC_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".png": "image/png"}


def add_routes(app: Bottle, gallery: Gallery) -> None:
    @app.get("/", public=True)
    def landing() -> HTTPResponse:
        if visit().user_id:
            go("/dash")
        return page("landing", title="aigen")

    @app.get("/dash")
    def dash() -> HTTPResponse:
        who = visit()
        assert who.user_id
        standings = status.look(gallery.workshop, who.user_id)[::-1]
        number = _page_number(request.query.getunicode("page"))
        shown = standings[(number - 1) * ORDERS_A_PAGE : number * ORDERS_A_PAGE]
        visits.log(gallery.store, gallery.clock, who, "view", "/dash")
        return page(
            "dash",
            title="Your gallery",
            standings=shown,
            number=number,
            more=len(standings) > number * ORDERS_A_PAGE,
            is_new=bool(request.query.getunicode("new")),
            # Without a fragment: a browser does not load anew what differs only in that.
            refresh=f"/dash?page={number}" if any(standing.active for standing in shown) else None,
            label=label,
            media=media_path,
            local=local,
        )

    @app.get("/videoplayer/<generation_id>/<number:int>")
    def videoplayer(generation_id: str, number: int) -> HTTPResponse:
        standing = own(gallery, generation_id)
        found = [item for item in standing.items if (item.kind, item.number) == ("video", number) and item.path]
        if not found:
            missing()
        visits.log(gallery.store, gallery.clock, visit(), "view", request.path)
        return page(
            "videoplayer",
            title=f"Video {number}",
            standing=standing,
            item=found[0],
            videos=[item for item in standing.items if item.kind == "video" and item.path],
            label=label,
            media=media_path,
            local=local,
        )

    @app.get("/activity")
    def activity() -> HTTPResponse:
        user_id = visit().user_id
        assert user_id
        rows = gallery.store.activity(user_id, ACTIVITIES_SHOWN)
        return page("activity", title="Your activity", rows=rows, local=local)

    @app.get("/static/<name>", public=True)
    def static(name: str) -> HTTPResponse:
        return _static(name)

    @app.get("/favicon.ico", public=True)
    def favicon() -> HTTPResponse:
        return _static("icon.png")


def own(gallery: Gallery, generation_id: str) -> Standing:
    """How an order of the visitor's stands; that there is one of somebody else's is nobody's business."""
    order = gallery.store.generation(generation_id)
    if order is None or order.user_id != visit().user_id:
        missing()
    return status.standing(gallery.workshop, order)


def media_path(item: Item, thumbnail: str | None = None) -> str:
    """Where a finished file, or a thumbnail of it, is served."""
    path = PurePosixPath(item.path or "")
    name = f"{path.stem}-{thumbnail}.webp" if thumbnail else path.name
    return f"/media/{item.generation_id}/{name}"


def label(model: str) -> str:
    """What made something, in the words of its pipeline."""
    try:
        return f"{model}: {pipelines.load(model).label}"
    except UsageError:  # it is not installed any more
        return model


def local(moment: str | None) -> str:
    """A time of the store as the clock of this machine has it."""
    return f"{from_text(moment).astimezone():%Y-%m-%d %H:%M}" if moment else ""


def _page_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text[:6]) > 0 else 1


def _static(name: str) -> HTTPResponse:
    folder = files("aigen.viewer") / "static"
    if name not in {path.name for path in folder.iterdir()}:
        missing()
    suffix = PurePosixPath(name).suffix
    headers = {"Content-Type": STATIC_TYPES[suffix], "Cache-Control": "max-age=3600"}
    return HTTPResponse((folder / name).read_bytes(), headers=headers)
