"""Files: pictures, videos and thumbnails of the visitor's own orders,
whole or in part, and a whole order as an archive.

Bottle's own `static_file` follows symbolic links, ignores If-Range and has unquoted ETags, so files are served here: by
names from the store, from within the content folder, with types of our own and nothing that a browser would run.
"""

import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import IO

from bottle import Bottle, HTTPResponse, request

from aigen.errors import ContentError
from aigen.media import thumbnails
from aigen.orders import source
from aigen.types.rows import Item
from aigen.viewer import visits
from aigen.viewer.gallery import Gallery
from aigen.viewer.pages import own_order
from aigen.viewer.web import not_found, visit

TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "text/plain; charset=utf-8",
    ".json": "application/json",
}
# A file keeps its name for ever and its content too.
CACHING = "private, max-age=31536000, immutable"
CHUNK = 256 * 1024


def add_routes(app: Bottle, gallery: Gallery) -> None:
    @app.get("/media/<generation_id>/<name>", no_page=True, one_order=True)
    def media(generation_id: str, name: str) -> HTTPResponse:
        found = own_order(gallery, generation_id)
        if name == (small := source.thumbnail(gallery.content, found.order)).name:
            return serve(gallery, small, None)
        for item in found.items:
            if item.path is None:
                continue
            if name == Path(item.path).name:
                wanted = request.query.getunicode("download")
                answer = serve(gallery, gallery.content.file(item.path), name if wanted else None)
                if answer.status_code == 200:
                    _log(gallery, item, "download" if wanted else "view")
                return answer
            if name in (path.name for path in thumbnails.companions(gallery.content, item)):
                wanted = request.query.getunicode("download")
                return serve(gallery, gallery.content.file(item.path).with_name(name), name if wanted else None)
            for size in thumbnails.THUMBNAIL_SIDES:
                if name == f"{Path(item.path).stem}-{size}.webp":
                    return serve(gallery, _thumbnail(gallery, item, size), None)
        not_found()

    @app.get("/archive/<generation_id>.zip", no_page=True, one_order=True)
    def archive(generation_id: str) -> HTTPResponse:
        found = own_order(gallery, generation_id)
        items = [item for item in found.items if item.path]
        answer = archive_of(gallery, items, f"aigen-{generation_id}.zip")
        if request.method == "GET":
            visits.log(gallery, visit(), "download", generation_id)
        return answer


def archive_of(gallery: Gallery, items: list[Item], name: str) -> HTTPResponse:
    """The files of items as one archive, but for those that are gone; 404 when all are."""
    paths = [
        path
        for item in items
        if item.path
        for path in (gallery.content.file(item.path), *thumbnails.companions(gallery.content, item))
    ]
    made = [_inside(gallery, path) for path in paths]
    files = [file for file in made if file]
    if not files:
        not_found()
    # Into a file that has no name and goes with its last reader: slow visitors then need no thread of ours.
    archive = tempfile.TemporaryFile(dir=gallery.content.making)  # noqa: SIM115 (the server closes it)
    try:
        write_archive(files, archive)
    except OSError as error:
        archive.close()
        raise ContentError(f"no archive can be made: {error.strerror}") from error
    headers = {"Content-Type": "application/zip", "Content-Disposition": f'attachment; filename="{name}"'}
    return _body(archive, 0, archive.tell(), 200, headers)


def write_archive(files: list[Path], target: IO[bytes]) -> None:
    """Put files together, a little at a time. They are compressed already, so they are only stored."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.name)


def _log(gallery: Gallery, item: Item, action: str) -> None:
    """Log a download, or that a full-size picture is looked at;
    a video is asked for in many parts, its page is logged.
    """
    if request.method == "GET" and (action == "download" or item.kind == "image"):
        visits.log(gallery, visit(), action, item.path)


def _thumbnail(gallery: Gallery, item: Item, size: str) -> Path:
    """A thumbnail, made again where it is missing; 404 where what it is of is not ours to show."""
    if _inside(gallery, gallery.content.file(item.path or "")) is None:
        not_found()
    try:
        return thumbnails.thumbnails(gallery.content, item)[size]
    except ContentError:
        not_found()


def _inside(gallery: Gallery, file: Path) -> Path | None:
    """A file where it really is; None where it is none, or a link below the content folder led to it."""
    roots = [root for root in (gallery.content.scratch, gallery.content.root) if root and file.is_relative_to(root)]
    try:
        real, direct = file.resolve(strict=True), roots[0].resolve(strict=True) / file.relative_to(roots[0])
        return real if real == direct and real.is_file() and os.access(real, os.R_OK) else None
    except (OSError, RuntimeError, IndexError):
        return None


def serve(gallery: Gallery, file: Path, download_as: str | None) -> HTTPResponse:
    """A file, or the part of it that is asked for, or that the visitor has it already."""
    real = _inside(gallery, file)
    if real is None or real.suffix not in TYPES:
        not_found()
    stat = real.stat()
    etag = f'"{hashlib.sha256(f"{real.name}/{stat.st_size}/{stat.st_mtime_ns}".encode()).hexdigest()[:32]}"'
    headers = {
        "Content-Type": TYPES[real.suffix],
        "Cache-Control": CACHING,
        "ETag": etag,
        "Last-Modified": formatdate(stat.st_mtime, usegmt=True),
        "Accept-Ranges": "bytes",
    }
    if download_as:
        headers["Content-Disposition"] = f'attachment; filename="{download_as}"'
    if _has_it(etag, stat.st_mtime):
        return HTTPResponse(status=304, headers=headers)
    part = Part(0, stat.st_size)
    code = 200
    if (asked := request.get_header("Range")) and _still(etag, stat.st_mtime):
        found = parse_range(asked, stat.st_size)
        if found is None:
            headers["Content-Range"] = f"bytes */{stat.st_size}"
            return HTTPResponse(status=416, headers=headers)
        if found != part or asked.strip().lower() == "bytes=0-":
            part, code = found, 206
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{stat.st_size}"
    return _body(real.open("rb"), part.start, part.end, code, headers)


def _body(file: IO[bytes], start: int, end: int, code: int, headers: dict[str, str]) -> HTTPResponse:
    """An answer with these bytes of a file, which is closed when they are sent."""
    headers["Content-Length"] = str(end - start)
    file.seek(start)
    if "wsgi.file_wrapper" in request.environ:  # the server sends so much of it by itself, and needs no thread for that
        return HTTPResponse(file, code, headers)
    return HTTPResponse(_read(file, end - start), code, headers)


@dataclass(frozen=True)
class Part:
    """The bytes of a file from `start` up to `end`, which is not in it."""

    start: int
    end: int


def parse_range(text: str, size: int) -> Part | None:
    """The part that a Range header asks for; None when there is none such.

    What is not understood, or asks for several parts, is answered with the whole, as RFC 9110 allows.
    """
    match = re.fullmatch(r"\s*bytes=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", text, re.IGNORECASE)
    if not match or not any(match.groups()):
        return Part(0, size)
    first, last = match.groups()
    if not first:
        return Part(max(0, size - int(last)), size) if int(last) and size else None
    if last and int(last) < int(first):
        return Part(0, size)
    return Part(int(first), min(int(last) + 1, size) if last else size) if int(first) < size else None


def _has_it(etag: str, changed_at: float) -> bool:
    """Whether the visitor's copy is still right; what If-None-Match says goes before the date."""
    if (known := request.get_header("If-None-Match")) is not None:
        return known.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}
    since = _date(request.get_header("If-Modified-Since"))
    return since is not None and int(changed_at) <= since


def _still(etag: str, changed_at: float) -> bool:
    """Whether a part may be sent: the rest of what the visitor has is of this very file."""
    condition = request.get_header("If-Range")
    if condition is None or condition.strip() == etag:
        return True
    return _date(condition) == int(changed_at)


def _date(text: str | None) -> int | None:
    try:
        return round(parsedate_to_datetime(text).timestamp()) if text else None
    except (ValueError, OverflowError):
        return None


def _read(file: IO[bytes], length: int) -> Iterator[bytes]:
    with file:
        while length and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
