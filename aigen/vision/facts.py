"""What a file says of a picture: when and with which camera it was taken, or what made it from which prompt.

Of a photo's metadata only these two are ever told: no place, no name, no comment, no serial number. They come from
strangers, so what is not plainly a date or a camera is passed over, and a broken file says nothing.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from aigen.errors import AigenError
from aigen.media import headers, provenance
from aigen.media.bare import strip
from aigen.media.exif import MAKE, MODEL, TAKEN, read_texts
from aigen.types.pipeline import Provenance
from aigen.wording import shortened, visible

FIRST_YEAR = 1990  # before that, nothing wrote such files
CAMERA = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,/()+&-]{1,39}")
MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip
PROMPT_LIMIT, SPOKEN_LIMIT = 2000, 200
# What a file of a kind has in it if it says what made it; to look for that is much quicker than to decode it.
SIGNS = (
    b"digitalsourcetype/", b"UNICODE\0", b"ASCII\0\0\0", b"Steps:",
    "Steps:".encode("utf-16-le"), "Steps:".encode("utf-16-be"),
)  # fmt: skip
# How a source type is told, before and behind who made it.
MAKERS = {
    "algorithmicMedia": ("drawn by a program", ""),
    "trainedAlgorithmicMedia": ("made by a trained model", ""),
    "compositeWithTrainedAlgorithmicMedia": ("made by a trained model", "from somebody's picture"),
}


@dataclass(frozen=True)
class Facts:
    """What a file says: in sentences, the prompt if aigen made it, and its IPTC digital source type."""

    sentences: tuple[str, ...] = ()
    prompt: str | None = None
    source_type: str | None = None


def read(path: Path, *, camera: bool) -> Facts:
    """What a file says of itself; when and with what it was taken only for `camera`."""
    said = _provenance(path)
    own = (
        said.prompt if said.source_type in provenance.SOURCE_TYPES and "number" in said.parameters else None
    )  # as no other program's
    sentences = [sentence for sentence in (_made(said), _taken(path) if camera else "") if sentence]
    return Facts(tuple(sentences), _line(own)[:PROMPT_LIMIT] or None if own else None, said.source_type)


def _provenance(path: Path) -> Provenance:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head != b"\x89PNG":
                whole = file.read()
                if not any(sign in whole for sign in SIGNS):
                    return Provenance("image")
        return provenance.read(path)
    except (AigenError, OSError):
        return Provenance("image")


def _made(said: Provenance) -> str:
    """The sentence on what made it, as far as the file says."""
    maker = f", {shortened(_line(said.model))}," if said.model else ""
    words = shortened(_line(said.prompt or ""), SPOKEN_LIMIT)
    prompt = f"from the prompt “{words}”" if words else ""
    if said.source_type == "algorithmicallyEnhanced":
        return "Its file says that it is somebody's picture, changed by a program."
    if said.source_type and said.source_type not in MAKERS:
        return f"Its file says that its source type is {shortened(said.source_type)}."
    if not said.source_type and not prompt:
        return ""
    before, behind = MAKERS.get(said.source_type or "", ("made by a model", ""))
    sources = " and ".join(part for part in (behind, prompt) if part)
    return f"Its file says that it was {before}{maker} {sources}".rstrip(" ,") + "."


def _taken(path: Path) -> str:
    """The sentence on the photo, as far as its file says when and with what it was taken."""
    try:
        data = path.read_bytes()
        headers.check(data)
        told = read_texts(strip(data).exif, (MAKE, MODEL, TAKEN))
    except (OSError, ValueError):  # what is broken says nothing
        return ""
    texts = {tag: text.decode("utf-8", errors="replace").replace("\0", " ") for tag, text in told.items()}
    day, camera = _day(texts.get(TAKEN, "")), _camera(texts.get(MAKE, ""), texts.get(MODEL, ""))
    parts = [f"on {day.day} {MONTHS[day.month - 1]} {day.year}"] if day else []
    if camera:
        parts.append(f"with {_article(camera)} {camera}")
    return f"Its file says that it was taken {' '.join(parts)}." if parts else ""


def _day(told: str) -> date | None:
    found = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)\b", told)
    try:
        day = date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= date.today().year else None


def _camera(make: str, model: str) -> str:
    """The camera's model with its maker before it, where that is not a part of it."""
    make, model = " ".join(make.split()), " ".join(model.split())
    if not CAMERA.fullmatch(model):
        return ""
    maker = make.split()[0].capitalize() if make.isupper() and len(make) > 3 else make.split()[0] if make else ""
    whole = model if not maker or model.lower().startswith(maker.lower()) else f"{maker} {model}"
    return whole if CAMERA.fullmatch(whole) else model


def _article(name: str) -> str:
    """The article before a name, of which the first word is spelled out where it is short or has a number in it."""
    word = re.split(r"\W", name)[0]
    spelled = word.isupper() and (len(word) < 4 or not word.isalpha())
    return "an" if word[0] in ("AEFHILMNORSX8" if spelled else "AEIOUaeiou8") else "a"


def _line(text: str) -> str:
    """Text as one line that is safe to print."""
    return visible(" ".join(text.split()))
