"""A content folder that cannot be written, such as a backup, can be viewed in the gallery."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aigen.content import ContentFolder
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.store import Store
from aigen.store.hashing import hash_password
from aigen.types.request import Draft
from aigen.types.rows import Generation
from aigen.viewer import server
from aigen.viewer.app import make_app
from aigen.viewer.gallery import Gallery
from tests.web import Browser


@pytest.fixture
def order(context: Context, request_two: Draft) -> Generation:
    """A finished order of ana's."""
    return lifecycle.generate(context, request_two, "ana")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def kept(gallery: Gallery, order: Generation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gallery]:
    """The gallery of a folder that cannot be written; nothing in the folder is other than before in the end."""
    monkeypatch.setattr(server, "is_writable", lambda folder: False)  # root may write everywhere
    before = snapshot(gallery.content.root)
    with server.viewable(gallery.content) as content:
        yield replace(gallery, content=content)
        assert content.scratch
    assert not content.scratch.exists()
    assert snapshot(gallery.content.root) == before


def test_it_can_be_viewed_and_downloaded(kept: Gallery, order: Generation) -> None:
    ana, name = Browser(kept), order.generation_id
    answer = ana.post("/login", user_id="ana")
    assert answer.status_code == 303, answer.text
    page = ana.get("/dash").text
    assert order.prompt in page
    assert "This gallery is read-only" in page
    for path in (f"/media/{name}/{name}-image-1.png", f"/media/{name}/{name}-video-1-large.webp", "/progress",
                 f"/archive/{name}.zip", f"/videoplayer/{name}/1", "/activity"):  # fmt: skip
        assert ana.get(path).status_code == 200, path
    assert ana.post("/selection/download", form="/dash", item=f"{name}/image/1").content_type == "application/zip"
    assert "login" in ana.get("/activity").text
    assert ana.post("/logout", form="/activity").status_code == 303


def test_thumbnails_are_made_beside_it_where_they_are_missing(kept: Gallery, order: Generation) -> None:
    name = order.generation_id
    there = kept.content.thumbnail(f"ana/{name}-image-1.png", "small")
    assert there.is_relative_to(kept.content.root)
    hidden = there.rename(there.with_suffix(".hidden"))
    try:
        ana = Browser(kept)
        ana.post("/login", user_id="ana")
        assert ana.get(f"/media/{name}/{name}-image-1-small.webp").status_code == 200
        assert not there.exists()
    finally:
        hidden.rename(there)


def test_nothing_in_it_can_be_changed(kept: Gallery, order: Generation) -> None:
    ana = Browser(kept)
    ana.post("/login", user_id="ana")
    values = {"<generation_id>": order.generation_id, "<kind>": "image", "<number:int>": "1"}
    refused = []
    for route in make_app(kept).routes:
        if route.method != "POST" or route.rule in ("/login", "/logout", "/open/<token>", "/selection/download"):
            continue
        path = route.rule
        for name, value in values.items():
            path = path.replace(name, value)
        answer = ana.post(path, form="/activity")
        assert (answer.status_code, "read-only" in answer.text) == (403, True), path
        refused.append(path)
    assert len(refused) == 12, refused
    assert ana.get("/text-to-video").status_code == ana.get("/image-to-video").status_code == 403
    assert Browser(kept).get("/register").status_code == 403
    page = ana.get("/dash").text
    for gone in ("New order", "Delete", "Again, differently"):
        assert gone not in page
    assert "Register" not in Browser(kept).get("/login").text


def test_what_only_the_write_ahead_log_holds_is_seen(gallery: Gallery, order: Generation, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(gallery.content.root, copy, ignore=shutil.ignore_patterns("*.lock"))
    with Store.open(gallery.content) as store:  # which stays open, so that its log is not yet in the database
        store.set_password("ana", hash_password("long enough"))
        shutil.copyfile(f"{gallery.content.database}-wal", copy / "aigen.db-wal")
        shutil.copyfile(gallery.content.database, copy / "aigen.db")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server, "is_writable", lambda folder: False)
        with server.viewable(ContentFolder(copy)) as content, Store.open(content) as store:
            user = store.user("ana")
    assert user
    assert user["password_hash"]
