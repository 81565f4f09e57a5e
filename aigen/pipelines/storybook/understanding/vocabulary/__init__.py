"""What words mean to the illustrator: pictures by name, synonym and kind, and the vocabulary of scenes.

`tables` is written by hand; `nouns.txt.gz` (made by scripts/make_words.py from WordNet and all-MiniLM-L6-v2) tells for
18,000 nouns which picture stands for them, and which words are verbs or describe; `translations.json.gz` (made by
scripts/make_translations.py from emojibase) holds names in other languages. Sources and licences: README.md beside
this.
"""

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.understanding.vocabulary import synonyms, tables

# Groups of pictures in which a tag may be looked up, the likeliest meaning first.
TAG_GROUPS = ("animals-nature", "travel-places", "food-drink", "activities", "objects")
# Names of pictures that mean something else as words in a prompt.
NO_NAMES = frozenset(
    """
    label information seat construction station free hole top end back soon up cool new on plus minus divide
    multiply wood rock brick ice oden mate wing feather eye eyes ear nose mouth foot leg tongue link pick hook wheel
    fog foggy sunrise sunset desert mountain wedding school hospital bank hotel stadium factory butter salt cooking
    person-in-bed leo cancer libra virgo ram performing-arts customs restroom cinema registered prohibited warning
    wireless speaking-head night-with-stars cityscape cityscape-at-dusk sunrise-over-mountains beach-with-umbrella
    desert-island national-park dizzy knot dashing-away person man woman motorway map-of-japan watch
    """.split()
)


@cache
def _words() -> dict[str, list[str]]:
    """The sections of the file of words: a picture's name or a part of speech, and its words."""
    text = gzip.decompress((files(__package__) / "nouns.txt.gz").read_bytes()).decode()
    return {name: words.split(", ") for name, words in (line.split(": ", 1) for line in text.splitlines())}


@cache
def things() -> dict[str, str]:
    """What a picture can be called, in so many words -> its name.

    Synonyms win over names, those over kinds and tags.
    """
    index = artwork.index()
    kinds = {
        word: name for name, words in _words().items() if not name.startswith("[") for word in words if name in index
    }
    tags: dict[str, list[str]] = {}
    for group in TAG_GROUPS:
        for name, entry in index.items():
            if entry["group"] == group:
                for tag in entry["tags"]:
                    tags.setdefault(tag, []).append(name)
    others = known() | verbs()
    rare = {
        tag: names[0]
        for tag, names in tags.items()
        if len(names) <= 2 and " " not in tag and tag not in others and not tag.endswith("ing")
    }
    drawn = {
        name: entry for name, entry in index.items() if entry["group"] not in ("symbols", None) or "person" in name
    }
    labels = {entry["label"].lower(): name for name, entry in drawn.items() if name not in NO_NAMES}
    exact = {name.replace("-", " "): name for name in drawn if name not in NO_NAMES}
    return rare | kinds | labels | exact | synonyms.SYNONYMS


@cache
def known() -> frozenset[str]:
    """Words that say how something is or what it does, and so ask for no thing of their own."""
    return frozenset(_words()["[descriptions]"])


@cache
def verbs() -> frozenset[str]:
    return frozenset(_words()["[verbs]"])


@cache
def translations() -> dict[str, dict[str, Any]]:
    """By language: `things` (what a picture is called -> its name)
    and `scene` (a word -> field and value of the plan).
    """
    found: dict[str, dict[str, Any]] = json.loads(
        gzip.decompress((files(__package__) / "translations.json.gz").read_bytes())
    )
    return found


@cache
def scenery() -> dict[str, list[tuple[str, str]]]:
    """Words of the scene -> the fields of the plan that they set, and to what."""
    found: dict[str, list[tuple[str, str]]] = {}
    for field, table in (
        ("setting", tables.SETTINGS),
        ("time", tables.TIMES),
        ("season", tables.SEASONS),
        ("weather", tables.WEATHERS),
        ("mood", tables.MOODS),
    ):
        for value, words in table.items():
            for word in words.split(","):
                found.setdefault(word.strip(), []).append((field, value))
    return found


@cache
def modifiers() -> dict[str, tuple[str, Any]]:
    """Words before a noun -> `color`, `size` or `count`, and the value."""
    found: dict[str, tuple[str, Any]] = {}
    for field, table in (("color", tables.COLOURS), ("size", tables.SIZES)):
        for value, words in table.items():
            found |= {word.strip(): (field, value) for word in words.split(",")}
    return found | {word: ("count", number) for word, number in tables.NUMBERS.items()}


@cache
def relations() -> dict[str, str]:
    return {word.strip(): kind for kind, words in tables.RELATIONS.items() for word in words.split(",")}


@cache
def symbols() -> dict[str, tuple[tuple[str, ...], str | None, str | None]]:
    return {word.strip(): meaning for words, meaning in synonyms.SYMBOLS.items() for word in words.split(",")}
