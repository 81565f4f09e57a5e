"""The picture of a user's that an order starts from: kept until the order is done,
looked at, and then only seen small.
"""

import json
import math
from pathlib import Path

from aigen import vision
from aigen.content import ContentFolder, write_whole
from aigen.media import thumbnails
from aigen.types.request import Size
from aigen.types.rows import Generation
from aigen.types.seen import ImageDescription

# In an order's work folder: the picture, and what a vision model from the hub sees in it.
SOURCE, SEEN = "source.png", "seen.json"
# How much wider than high, at least and at most, what is made
# of it is if nobody gives a size; in whole steps of pixels.
SHAPES, STEP = (0.5, 2.0), 16


def describe_source(work: Path, model: str) -> ImageDescription:
    """What a vision model sees in the picture; it is remembered."""
    from PIL import Image

    try:
        with Image.open(work / SOURCE) as picture:
            seen = vision.load(model).see(picture)
    finally:
        vision.release()
    with write_whole(work / SEEN) as unfinished:
        unfinished.write_text(json.dumps(seen.as_json()), encoding="utf-8")
    return seen


def recall_seen(work: Path) -> ImageDescription | None:
    """What was seen before a crash, if it was."""
    kept = work / SEEN
    return ImageDescription.from_json(json.loads(kept.read_text(encoding="utf-8"))) if kept.exists() else None


def shaped(seen: ImageDescription, usual: Size) -> Size:
    """A size with about as many pixels as is usual, in the shape of the picture, unless that is very long."""
    low, high = SHAPES
    shape = min(max(seen.width / seen.height, low), high)
    height = math.sqrt(usual.width * usual.height / shape)
    return Size(*(round(side / STEP) * STEP for side in (height * shape, height)))


def keep_thumbnail(content: ContentFolder, generation: Generation) -> None:
    """Keep a small copy for the gallery, for the picture itself goes when the order is done. Raises ContentError."""
    path = thumbnail(content, generation)
    if not path.exists():
        source = content.work(generation.generation_id) / SOURCE
        thumbnails.save_thumbnails(source, {path: thumbnails.THUMBNAIL_SIDES["large"]}, content)


def thumbnail(content: ContentFolder, generation: Generation) -> Path:
    """Where the small copy is."""
    return content.derived(generation.user_id, f"{generation.generation_id}-picture.webp")
