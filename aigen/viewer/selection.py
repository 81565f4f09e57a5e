"""Several pictures and videos at once: downloaded as one archive, or deleted."""

from bottle import Bottle, HTTPResponse, request

from aigen.errors import UsageError
from aigen.orders import deletion
from aigen.types.rows import Item
from aigen.viewer import visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.media import archive_of
from aigen.viewer.pages import own_order
from aigen.viewer.web import not_found, redirect, visit

LIMIT = 500


def add_routes(app: Bottle, gallery: Gallery) -> None:
    @app.post("/selection/download", changes=False, one_order=True)
    def download() -> HTTPResponse:
        items = selected(gallery)
        for item in items:
            visits.log(gallery, visit(), "download", item.path)
        return archive_of(gallery, items, "aigen-selection.zip")

    @app.post("/selection/delete")
    def delete() -> None:
        for item in selected(gallery):
            deletion.erase_item(gallery.context, item)
            visits.log(gallery, visit(), "delete", item.path)
        redirect("/dash")


def selected(gallery: Gallery) -> list[Item]:
    """The finished items that a form has ticked; only the visitor's own."""
    values = list(dict.fromkeys(request.forms.getall("item")))
    if not 0 < len(values) <= LIMIT:
        raise UsageError(f"{len(values)} are selected: select from 1 to {LIMIT}")
    found: dict[str, Item] = {}
    for generation_id in {value.split("/")[0] for value in values}:
        for item in own_order(gallery, generation_id).items:
            if item.path:
                found[f"{generation_id}/{item.kind}/{item.number}"] = item
    if any(value not in found for value in values):
        not_found()
    return [found[value] for value in values]
