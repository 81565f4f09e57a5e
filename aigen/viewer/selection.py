"""Several pictures and videos at once: downloaded as one archive, or deleted."""

from bottle import Bottle, HTTPResponse, request

from aigen.errors import UsageError
from aigen.orders import deletion
from aigen.types.rows import Item
from aigen.viewer import visits
from aigen.viewer.app import Gallery, go, missing, visit
from aigen.viewer.media import archive_of
from aigen.viewer.pages import own

LIMIT = 500


def add_routes(app: Bottle, gallery: Gallery) -> None:
    @app.post("/selection/download")
    def download() -> HTTPResponse:
        items = selected(gallery)
        for item in items:
            visits.log(gallery, visit(), "download", item.path)
        return archive_of(gallery, items, "aigen-selection.zip")

    @app.post("/selection/delete")
    def delete() -> None:
        for item in selected(gallery):
            deletion.erase_item(gallery.workshop, item)
            visits.log(gallery, visit(), "delete", item.path)
        go("/dash")


def selected(gallery: Gallery) -> list[Item]:
    """The finished items that a form has ticked; only the visitor's own."""
    values = list(dict.fromkeys(request.forms.getall("item")))
    if not 0 < len(values) <= LIMIT:
        raise UsageError(f"{len(values)} are selected: select from 1 to {LIMIT}")
    found: dict[str, Item] = {}
    for generation_id in {value.split("/")[0] for value in values}:
        for item in own(gallery, generation_id).items:
            if item.path:
                found[f"{generation_id}/{item.kind}/{item.number}"] = item
    if any(value not in found for value in values):
        missing()
    return [found[value] for value in values]
