"""Understanding: from the words of a prompt to a plan of the scene.

`phrases` cuts the prompt into phrases with a meaning, `grammar` reads them; here what was read becomes a plan, with
what goes without saying. The words a plan is made of are a contract (`--plan --json`).
"""

import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.understanding import vocabulary
from aigen.pipelines.storybook.understanding.grammar import Draft, Reader
from aigen.pipelines.storybook.understanding.phrases import SEPARATORS, Token, cut, means_something
from aigen.pipelines.storybook.understanding.vocabulary import tables

CAPTION_LIMIT = 80
# What people tell a generative model about the craft, not about the scene.
_CRAFT = re.compile(
    r"\b(award[- ]winning|trending on \w+|\d+ ?(mm|k|fps|p)\b( lens)?|(shallow )?depth of field|"
    r"(highly|ultra|very)[- ](detailed|realistic)|(unreal|octane) (engine|render)( \d+)?|rule of thirds|golden ratio|"
    r"wide[- ]angle|close[- ]up|bird's[- ]eye view|in (the )?style of( (?!with|and|in|on|at)\w+){1,3})",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]{2,%d})[\"“”»]" % CAPTION_LIMIT)  # noqa: UP031


@dataclass(frozen=True)
class Thing:
    """One entry of a plan: `count` times the picture `name`."""

    name: str
    count: int = 1
    color: str | None = None
    size: str = "normal"
    relation: dict[str, str] | None = None
    action: str | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be drawn; `absent` are pictures that must not be.

    `language` is that of the prompt, if it could be read.
    """

    setting: str
    time: str
    season: str | None
    weather: str
    mood: str | None
    caption: str | None
    objects: tuple[Thing, ...]
    unmatched: tuple[str, ...]
    absent: tuple[str, ...] = ()
    language: str | None = "en"

    def as_json(self) -> dict[str, Any]:
        plan = {**asdict(self), "objects": [asdict(thing) for thing in self.objects]}
        return {**plan, "unmatched": list(self.unmatched), "absent": list(self.absent)}


@lru_cache(maxsize=16)
def make_plan(prompt: str) -> Plan:
    """The scene that a prompt asks for, as far as it is understood. Any text gives a plan."""
    return _conclude(*_read(prompt))


def settings_named(prompt: str) -> tuple[str, ...]:
    """The settings that a prompt names itself, the one that counts most first."""
    reader, _, _ = _read(prompt)
    return tuple(value for value in tables.SETTINGS if value in reader.scene.get("setting", ()))


def _read(prompt: str) -> tuple[Reader, str | None, str | None]:
    """What has read a prompt, what is quoted in it, and its language."""
    quoted = _QUOTED.search(prompt)
    prompt = _CRAFT.sub(" ", _QUOTED.sub(" ", prompt))
    words = cut(prompt)
    language = _language(words)
    reader = Reader()
    if language not in (None, "en"):
        reader.read_translated(words, vocabulary.translations()[language])
    else:
        reader.read(words)
        if not quoted and 2 <= len(words) <= 10 and reader.is_saying():  # "never stop dreaming"
            reader.symbols.append(Token("symbol", vocabulary.symbols()["motivation"], " ".join(prompt.split())))
    return reader, quoted[1].strip() if quoted else None, language


def _language(words: list[str]) -> str | None:
    """The language in which most of the words mean something; None where none does, English where it is even."""
    letters = [word for word in words if word not in SEPARATORS]
    english = sum(means_something(word) for word in letters)
    if not letters or english * 2 > len(letters):
        return "en"
    scores = {
        name: sum(word in table["things"] or word in table["scene"] or word in table["words"] for word in letters)
        for name, table in vocabulary.translations().items()
    }
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > english:
        return best
    return "en" if english or all(word.isascii() for word in letters) else None


def _conclude(reader: Reader, quoted: str | None, language: str | None) -> Plan:
    """What has been read, with what goes without saying."""
    caption, mood, setting = quoted, None, None
    if reader.symbols and not quoted:
        caption = max((token.text for token in reader.symbols), key=len)
        caption = caption[0].upper() + caption[1:]
    for token in reader.symbols:
        pictures, usual, feeling = token.value
        if not reader.things:
            reader.things += [Draft(name, name, 1, None, "normal") for name in pictures]
        setting, mood = setting or usual, mood or feeling
    objects = tuple(
        Thing(thing.name, thing.count, thing.color, thing.size, thing.relation, thing.action) for thing in reader.things
    )
    names = [thing.name for thing in objects]
    words = [thing.text for thing in reader.things]
    setting = _first(reader, "setting", tables.SETTINGS) or _usual_setting(names, words) or setting or "meadow"
    return Plan(
        setting=setting,
        time=_first(reader, "time", tables.TIMES)
        or next((tables.TIME_OF[name] for name in names if name in tables.TIME_OF), None)
        or "day",
        season=_first(reader, "season", tables.SEASONS)
        or next((tables.SEASON_OF[name] for name in names if name in tables.SEASON_OF), None),
        weather=_first(reader, "weather", tables.WEATHERS) or "clear",
        mood=_first(reader, "mood", tables.MOODS) or mood,
        caption=caption,
        objects=objects,
        unmatched=tuple(dict.fromkeys(reader.unmatched)),
        absent=tuple(dict.fromkeys(reader.absent)),
        language=language,
    )


def _first(reader: Reader, name: str, table: dict[str, str]) -> str | None:
    """Of the values that were named for a field the one that stands first in its table."""
    return next((value for value in table if value in reader.scene.get(name, ())), None)


def _usual_setting(names: list[str], words: list[str]) -> str | None:
    """Where these things are usually seen, by the words used for them or by their pictures; the first counts most.

    What flies or swims is seen where the others are, if they need ground under their feet.
    """
    places: list[str | None] = []
    for name, word in zip(names, words, strict=True):
        entry = artwork.index()[name]
        place = tables.USUAL.get(word) or tables.USUAL.get(name) or tables.USUAL.get(entry["subgroup"])
        if not places and name == names[0]:
            place = place or tables.USUAL.get(entry["group"])
        places.append(place)
    if any(artwork.index()[name]["subgroup"] == "transport-water" for name in names):
        return "open sea" if "lake" not in places else "lake"
    first = places[0] if places else None
    grounded = [place for place in places if place and place not in ("sky", "space", "underwater")]
    if first in ("sky", "space"):
        return next((place for place in grounded if place != "open sea"), first)
    return first or next(iter(grounded), None)


def with_boxes(plan: Plan, boxes: list[list[list[float]]]) -> dict[str, Any]:
    """The plan as JSON, each object with the boxes of its things in 0..1: left, top, right, bottom."""
    scene = plan.as_json()
    scene["objects"] = [{**thing, "boxes": found} for thing, found in zip(scene["objects"], boxes, strict=True)]
    return scene
