"""Files over HTTP: parts, conditions, caching, archives, and nothing from outside."""

import io
import shutil
import tracemalloc
import zipfile
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.types.request import Draft
from aigen.viewer.gallery import Gallery
from aigen.viewer.media import Part, parse_range, write_archive
from tests.web import Browser


@pytest.fixture
def video(ana: Browser, context: Context) -> Path:
    order = lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=1), "ana")
    return context.content.file(f"ana/{order.generation_id}-video-1.mp4")


def url(file: Path) -> str:
    return f"/media/{file.name.split('-')[0]}/{file.name}"


def test_a_whole_file_is_typed_and_cached_for_ever(ana: Browser, video: Path) -> None:
    answer = ana.get(url(video))
    assert (answer.status_code, answer.body) == (200, video.read_bytes())
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(video.stat().st_size)
    assert answer.headers["ETag"].startswith('"')
    assert "Content-Disposition" not in answer.headers
    picture = ana.get(url(video).replace("video-1.mp4", "image-1.png"))
    assert picture.headers["Content-Type"] == "image/png"
    small = ana.get(url(video).replace("video-1.mp4", "image-1-small.webp"))
    assert (small.headers["Content-Type"], small.body[:4]) == ("image/webp", b"RIFF")


def test_a_download_has_its_name(ana: Browser, video: Path) -> None:
    assert ana.get(f"{url(video)}?download=1").headers["Content-Disposition"] == f'attachment; filename="{video.name}"'


def test_head_has_the_headers_alone(ana: Browser, video: Path) -> None:
    answer = ana.app.head(url(video))
    assert (answer.status_code, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(video.stat().st_size)
    assert ana.app.head(url(video), headers={"Range": "bytes=0-9"}).headers["Content-Length"] == "10"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-99", 0, 100), ("bytes=5-5", 5, 6), ("bytes=100-", 100, None), ("bytes=-10", -10, None),
        ("bytes=0-", 0, None), ("BYTES= 3 - 9 ", 3, 10)],
)  # fmt: skip
def test_a_part_of_a_file(ana: Browser, video: Path, asked: str, start: int, end: int | None) -> None:
    answer = ana.get(url(video), headers={"Range": asked})
    whole = video.read_bytes()
    assert (answer.status_code, answer.body) == (206, whole[start:end])
    first = start % len(whole)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.body) - 1}/{len(whole)}"
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_part_that_there_is_not(ana: Browser, video: Path, asked: str) -> None:
    answer = ana.get(url(video), headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{video.stat().st_size}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-4,9-12", "bytes=9-3", "lines=1-2", "bytes=", "bytes=-", "bytes=a-b", "x" * 9000]
)
def test_what_is_not_understood_is_answered_with_the_whole(ana: Browser, video: Path, asked: str) -> None:
    answer = ana.get(url(video), headers={"Range": asked})
    assert (answer.status_code, len(answer.body)) == (200, video.stat().st_size)


@given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(0, 10**12))
def test_any_range_lies_within_the_file(text: str, size: int) -> None:
    part = parse_range(text, size)
    assert part is None or 0 <= part.start <= part.end <= size
    assert parse_range("bytes=0-0", 0) is None
    assert parse_range("bytes=-5", 3) == Part(0, 3)


def test_who_has_it_already_gets_nothing(ana: Browser, video: Path) -> None:
    first = ana.get(url(video))
    etag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"other", W/{etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": changed},
        {"If-None-Match": etag, "If-Modified-Since": formatdate(0, usegmt=True)},
    ):
        answer = ana.get(url(video), headers=headers)
        assert (answer.status_code, answer.body, answer.headers["ETag"]) == (304, b"", etag), headers
    for headers in (
        {"If-None-Match": '"other"'},
        {"If-None-Match": etag.strip('"')},
        {"If-None-Match": '"other"', "If-Modified-Since": changed},
        {"If-Modified-Since": formatdate(0, usegmt=True)},
        {"If-Modified-Since": "yesterday"},
        {"If-Modified-Since": "1 Jan 99999999999999999999 0:0:0"},
    ):
        assert ana.get(url(video), headers=headers).status_code == 200, headers


def test_the_rest_of_another_file_is_not_sent(ana: Browser, video: Path) -> None:
    first = ana.get(url(video))
    for condition, code in (
        (first.headers["ETag"], 206),
        (first.headers["Last-Modified"], 206),
        ('"other"', 200),
        (f"W/{first.headers['ETag']}", 200),
        (formatdate(0, usegmt=True), 200),
        ("nonsense", 200),
    ):
        answer = ana.get(url(video), headers={"Range": "bytes=0-9", "If-Range": condition})
        assert answer.status_code == code, condition


def test_links_out_of_the_folder_and_odd_files_are_not_served(ana: Browser, video: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_text("secret")
    video.unlink()
    assert ana.get(url(video)).status_code == 404
    video.symlink_to(secret)
    assert ana.get(url(video)).status_code == 404
    for thumbnail in video.parent.parent.glob(".thumbs/ana/*"):
        thumbnail.unlink()
    assert ana.get(url(video).replace(".mp4", "-small.webp")).status_code == 404
    with zipfile.ZipFile(io.BytesIO(ana.get(f"/archive/{video.name.split('-')[0]}.zip").body)) as archive:
        assert archive.namelist() == [video.name.replace("video-1.mp4", "image-1.png")]
    video.unlink()
    video.symlink_to(video)
    assert ana.get(url(video)).status_code == 404
    video.unlink()
    video.mkdir()
    assert ana.get(url(video)).status_code == 404


def test_only_files_of_the_order_are_served(ana: Browser, gallery: Gallery, video: Path) -> None:
    (video.parent / f"{video.name.split('-')[0]}-notes.html").write_text("<script>alert(1)</script>")
    assert ana.get(f"/media/{video.name.split('-')[0]}/{video.name.split('-')[0]}-notes.html").status_code == 404


def test_an_archive_has_every_file_of_an_order(ana: Browser, video: Path) -> None:
    name = video.name.split("-")[0]
    answer = ana.get(f"/archive/{name}.zip")
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="aigen-{name}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        assert {entry: archive.read(entry) for entry in archive.namelist()} == {
            path.name: path.read_bytes() for path in sorted(video.parent.glob(f"{name}-*"))
        }


def test_what_stands_beside_a_signed_file_is_served_and_archived(ana: Browser, video: Path) -> None:
    beside = video.with_suffix(".json")
    beside.write_text('{"prompt": "a kite"}')
    answer = ana.get(url(beside))
    assert (answer.headers["Content-Type"], answer.body) == ("application/json", beside.read_bytes())
    archive = ana.get(f"/archive/{video.name.split('-')[0]}.zip")
    with zipfile.ZipFile(io.BytesIO(archive.body)) as files:
        assert files.read(beside.name) == beside.read_bytes()


def test_never_more_than_a_little_of_an_archive_is_in_memory(tmp_path: Path) -> None:
    files = [tmp_path / "large.mp4", tmp_path / "also.mp4"]
    for file in files:
        file.write_bytes(bytes(8 * 2**20))
    with (tmp_path / "archive.zip").open("wb") as archive:
        tracemalloc.start()
        write_archive(files, archive)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert archive.tell() > 16 * 2**20
    assert highest < 2**20


@pytest.mark.parametrize("how", ["a file", "the folder"])
def test_links_to_what_is_another_user_s_are_not_followed(
    ana: Browser, context: Context, video: Path, how: str
) -> None:
    order = lifecycle.generate(context, Draft(prompt="secret", images=1, videos=1), "bob")
    secret = context.content.file(f"bob/{order.generation_id}-video-1.mp4")
    if how == "a file":
        video.unlink()
        video.symlink_to(secret)
    else:
        secret.rename(secret.with_name(video.name))
        shutil.rmtree(video.parent)
        video.parent.symlink_to(secret.parent)
    name = video.name.split("-")[0]
    assert ana.get(url(video)).status_code == 404
    for archive in (
        ana.get(f"/archive/{name}.zip"),
        ana.post("/selection/download", form="/dash", item=f"{name}/video/1"),
    ):
        assert archive.status_code == 404 or video.name not in zipfile.ZipFile(io.BytesIO(archive.body)).namelist()
