"""Pictures and texts as people have them: nothing crashes, and each refusal is one line in our words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aigen.errors import UsageError
from aigen.media import provenance, uploads
from aigen.vision import facts
from tests.photos import photo

REPORTS = Path(__file__).parents[2] / "shared" / "reports"
PICTURES = sorted(
    path
    for folder in (photo(".").resolve(), REPORTS)
    for path in (folder.glob("*") if folder.exists() else ())
    if path.suffix in (".png", ".jpg", ".gif", ".tif", ".webp")
)
# What other programs would say of a picture.
FOREIGN = ("Pillow", "PIL", "decoder", "Decompressed", "chunk", "bytes not processed", "Error")


def refusal(read: Callable[[], object]) -> str | None:
    """Return why something is refused, if it is; anything but a refusal in one line of our own is an error."""
    try:
        read()
    except UsageError as error:
        text = str(error)
    else:
        return None
    assert "\n" not in text
    assert not any(word in text for word in FOREIGN), text
    return text


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_every_picture_is_read_or_refused_in_one_line(path: Path) -> None:
    told = refusal(lambda: uploads.glance(path, 256))
    assert (told is not None) == (path.suffix in (".gif", ".tif"))
    assert told is None or told.startswith(f"picture {path.name!r} ")
    assert refusal(lambda: facts.read(path, camera=True)) is None or told


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_what_a_picture_says_of_itself_is_read_or_refused_in_one_line(path: Path) -> None:
    assert (refusal(lambda: provenance.read(path)) is not None) == (path.suffix in (".gif", ".tif"))
