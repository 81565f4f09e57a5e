"""Photographs for tests: those that scikit-image ships, in the public domain
or free to use (skimage/data/README.txt there).
"""

import importlib.util
import io
from pathlib import Path

from PIL import Image


def photo(name: str) -> Path:
    """A file of scikit-image's, such as chelsea.png; without importing that, which is slow."""
    found = importlib.util.find_spec("skimage")
    assert found
    assert found.origin
    return Path(found.origin).parent / "data" / name


def as_jpeg(name: str) -> bytes:
    """The same as a camera would give it."""
    data = io.BytesIO()
    with Image.open(photo(name)) as image:
        image.convert("RGB").save(data, format="JPEG", quality=92)
    return data.getvalue()
